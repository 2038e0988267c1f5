//! Crash points: named places where a test may have the process die as if by `kill -9`.
//!
//! `DOMICILE_CRASH_AT=<name>` names one; `<name>:<n>` dies at the n-th passage. Release builds hold none of this: the
//! function is empty there.

/// Dies here if the environment names this point. The names used are the ones a test of the walk lists.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use std::{
        collections::HashMap,
        sync::{LazyLock, Mutex, PoisonError},
    };

    #[expect(clippy::disallowed_methods, reason = "read once, in debug builds only, to arm a crash point")]
    static ARMED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let armed = std::env::var("DOMICILE_CRASH_AT").ok()?;
        match armed.rsplit_once(':') {
            Some((point, passage)) => Some((point.to_owned(), passage.parse().unwrap_or(1))),
            None => Some((armed, 1)),
        }
    });
    static PASSAGES: LazyLock<Mutex<HashMap<&'static str, u64>>> = LazyLock::new(Mutex::default);

    let Some((armed, passage)) = ARMED.as_ref() else { return };
    if armed == name {
        let mut passages = PASSAGES.lock().unwrap_or_else(PoisonError::into_inner);
        let count = passages.entry(name).or_default();
        *count += 1;
        if *count == *passage {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
pub const fn point(_name: &'static str) {}
