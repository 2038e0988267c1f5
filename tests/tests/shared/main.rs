//! Tests that share one deployment of four regions. Each signs up tenants of its own and leaves the others alone.

mod bad_bodies;
mod bad_credentials;
mod bad_requests;
mod bad_signups;
mod clients;
mod concurrency;
mod routing;
mod signup_race;
mod tenants;
mod walk;
