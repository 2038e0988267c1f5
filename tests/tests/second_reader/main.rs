//! Readers of an archive that share no code with its writer: a Python program that follows `docs/archive-format.md`, and the
//! transparency log clients of others. What they say is held against what ours says.

mod alike;
mod erased;
mod flips;
mod heads;
mod hostile;
mod mutations;
mod proofs;
mod readers;
mod rotated;
mod running;
mod tlog;
mod tool;
mod vectors;
