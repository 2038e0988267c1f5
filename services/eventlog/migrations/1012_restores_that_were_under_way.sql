-- A restore that an earlier program left unfinished did not note whether it took rows out of the log. It may have: their read
-- models are made anew, which costs time and loses nothing.

update log.restore set has_changed = true where finished_at is null;
