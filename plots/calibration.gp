# Draw calibration.sql as dots.gp draws dots.sql: cut, as trained (open) and calibrated (filled), and direct, calibrated (cross).
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
marked = "mark"; open = "trained"; solid = "calibrated"; crossed = "direct"
says_open = "cut to k bits, batch norm as trained"
says_solid = "cut to k bits, batch norm calibrated"
says_crossed = "quantized to k bits, calibrated"
load "plots/dots.gp"
