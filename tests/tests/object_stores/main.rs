//! The product on object stores that nobody here wrote, and on one that fails in every way there is.

mod faults;
mod full_servers;
mod restores;
mod world;
