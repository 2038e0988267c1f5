//! What is known of a payload.

/// A payload, as far as it could be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<P> {
    /// Opened.
    Open(P),
    /// Its key was destroyed: a tombstone.
    Erased,
    /// There are no keys at hand to open it.
    Sealed,
}

impl<P> Payload<P> {
    /// The plaintext, if it is open.
    pub fn open(self) -> Option<P> {
        match self {
            Self::Open(plaintext) => Some(plaintext),
            Self::Erased | Self::Sealed => None,
        }
    }

    /// The same, borrowed.
    pub const fn as_ref(&self) -> Payload<&P> {
        match self {
            Self::Open(plaintext) => Payload::Open(plaintext),
            Self::Erased => Payload::Erased,
            Self::Sealed => Payload::Sealed,
        }
    }

    /// Whether its key was destroyed.
    pub const fn is_erased(&self) -> bool {
        matches!(self, Self::Erased)
    }

    /// Whether it is sealed for want of keys.
    pub const fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed)
    }
}

/// As a vault gives it: nothing where the key was destroyed.
impl<P> From<Option<P>> for Payload<P> {
    fn from(plaintext: Option<P>) -> Self {
        plaintext.map_or(Self::Erased, Self::Open)
    }
}
