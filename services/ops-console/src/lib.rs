//! The console of a region's operators: `/ops` on the region's host, or on a port of its own.
//!
//! It does what the command line does, by the same code, and shows no content: names of tenants, positions, times and what was found,
//! and nothing of what events say. Whoever signs in operates one region, under a name, with which the process's log tells what
//! they ask for. It is no part of the desk, whose database login can neither read archives nor restore.
//!
//! Reading order: [`Operators`] (who may), `session` and `signed` (who is signed in), [`Console`] (what every page is given); then a
//! file a page: `overview` (health, and charts of `samples`), `tenants`, `backups`.

mod backups;
mod chart;
mod health;
mod operators;
mod overview;
mod samples;
mod session;
mod sign_in;
mod signed;
mod state;
mod tenants;

pub use operators::{Error as OperatorsError, Operator, Operators};
pub use state::{Console, Deps};

/// The pages that every page leads to, each with the sentence that names it.
const PAGES: &[(&str, &str)] =
    &[("/ops", "ops-overview"), ("/ops/tenants", "ops-tenants"), ("/ops/backups", "ops-backups")];

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
