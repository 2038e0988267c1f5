//! The stores of a laptop: a private PostgreSQL cluster made from the installed package, and an S3 endpoint on a folder.
//!
//! `domicile up` and the tests run on them. They are real stores with nothing shared: each region has a cluster and an
//! endpoint of its own, each in its own folder. This crate knows nothing of tenants, events or regions.
//!
//! Reading order: [`postgres`], [`s3`].

pub mod postgres;
pub mod s3;
