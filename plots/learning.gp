# Draw learning.sql as training.gp draws training.sql: evaluated, on the images that a panel's title names.
evaluated = 1; csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/training.gp"
