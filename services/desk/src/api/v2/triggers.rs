//! What triggers have and other rules have not: an order that is changed for many at once, and a look at what one would have done.

pub(crate) mod many;

#[cfg(test)]
mod tests;
