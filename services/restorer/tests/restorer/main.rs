//! Restores over real stores.

mod beside;
mod drill;
mod ground;
mod hostile;
mod in_place;
mod keys;
mod refused;
mod region;
mod signed_elsewhere;
mod under_way;
