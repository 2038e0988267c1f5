-- Made when a build of account is filled: cheaper than keeping them up meanwhile.

-- None: its tables are found by their keys.
