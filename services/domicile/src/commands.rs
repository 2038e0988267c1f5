//! The verbs, a file each. Each turns options into calls of the crates that do the work, and prints what came of it.

pub mod audit;
pub mod backup;
pub mod demo;
pub mod doctor;
pub mod drill;
mod halt;
pub mod import;
pub mod keys;
pub mod operator;
pub mod projections;
pub mod residency;
pub mod restore;
pub mod role;
pub mod tenant;
pub mod topic;
