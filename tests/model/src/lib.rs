//! The argument for "no gap, no double", run instead of told: small models of the log's protocol, explored in every order of steps.
//!
//! Three models, because the protocol falls into three parts that meet only in the head row and in the log itself:
//!
//! | model | what is in it | bounds | states |
//! |---|---|---|---|
//! | [`append`], contention | lanes of two processes, batches of two, group commit, the calls that hope, lock timeouts | 4 callers, 2 tenants, 2 streams | 4,827 |
//! | [`append`], outage | lost connections, zombies, resent batches, callers that give up | 3 callers of one stream, 2 losses | 436,038 |
//! | [`append`], killed server | `kill -9` of Postgres at any moment | 3 callers of one stream, 1 kill | 45,631 |
//! | [`append`], repeated request | one idempotency key on two processes | 3 callers, 2 losses | 139,398 |
//! | [`fence`] | a tenant that moves away and back, a move that is called off, zombies of before | 2 callers, 2 moves, 1 cancel, 2 losses | 330,421 |
//! | [`subscription`], from the log | two workers, wake-ups that get lost, kills, a database that loses its tail | 3 commands (4 events), 2 wake-ups, 3 kills, 1 failover | 31,332 |
//! | [`subscription`], from a topic | a relay, a topic that doubles, reorders, forgets and outlives the log | 3 commands, 2 deliveries, 1 failover | 176,380 |
//!
//! Each rule that the argument rests on has a name ([`append::Rule`], [`fence::Rule`], [`subscription::Rule`]), and a twin of the model
//! that lacks just this rule. A test shows for each that the checker then finds the way to what breaks; `cargo test -p model --
//! --nocapture` prints these ways, step by step, in the words of the code. Each model also names situations that it must reach, so
//! that no rule holds only because nothing happens, and the tests hold the number of states above a floor.
//!
//! That everybody is answered, and that readers catch up, is said of states in which nobody has anything left to do; and from every
//! state of a subscription a fair run of steps comes to such a state ([`Protocol::comes_to_rest`]). Hints and faults are chances, never
//! steps: nothing relies on them.
//!
//! What is not modelled: payloads, keys and erasure; appends to several streams at once, and the arrays they travel in (a property
//! test beside `eventlog/src/appender/batch.rs` compares the stored function with a model of its answers); time, but for the order of
//! what happens; two primaries at once (a failover here ends the old one); events that cannot be applied; versions of a projection; a
//! move of anything but the log.
//!
//! Reading order: [`Protocol`], then `append`, `fence`, `subscription`, and the module `properties` of each.

pub mod append;
mod explore;
pub mod fence;
pub mod subscription;

pub use explore::{Protocol, counterexample, explore};
