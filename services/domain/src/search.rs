//! Search: by which words a text is found, and the language that asks for tickets, users, organizations and groups.
//!
//! [`words`] cuts a text into words and is the only place that knows how: the index holds what it says of a text, a query asks for what it
//! says of the words sought, so that both always agree and no database needs to know a language. [`written`] reads a query into terms,
//! whatever was typed, and [`asked`] reads the terms into what they ask for.

pub mod asked;
pub mod words;
pub mod written;

pub use asked::{Asked, Asking, Clause, Kind, Place, Refused, Test, Whom};
pub use words::{Indexed, Sought, lexeme};
pub use written::{Operator, Term, Written};
