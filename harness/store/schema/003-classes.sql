-- How many classes the data set had: the accuracy of guessing follows from it, also for a folder of images that
-- no table knows. NULL: an attempt from before this was recorded.
ALTER TABLE attempts ADD COLUMN classes INTEGER CHECK (classes >= 1);
