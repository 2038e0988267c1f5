//! Restores over real stores.

mod ground;
mod hostile;
mod in_place;
mod keys;
mod region;
