//! The replicator over a real Postgres and a real S3 endpoint.

mod archive;
mod backed_up_keys;
mod backup;
mod clock;
mod crash;
mod ending;
mod reading_back;
mod region;
mod renewing;
mod rotating;
mod running;
mod scheduled;
mod stale;
mod topic;
mod witnessed;
