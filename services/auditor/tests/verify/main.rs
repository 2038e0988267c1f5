//! Archives that are whole pass; archives that were touched are found out, at the right position.

mod hostile;
mod made;
mod proofs;
mod reading;
mod reported;
mod tampered;
mod whole;
mod witnessed;
