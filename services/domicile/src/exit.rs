//! How a command ends: its exit code and the one line it leaves behind.

use std::{fmt, process::ExitCode};

/// What an exit code of the product means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A check found something wrong.
    CheckFailed = 1,
    /// The command was used wrongly.
    Usage = 64,
    /// A store or service is unavailable.
    Unavailable = 69,
    /// The configuration is wrong.
    Configuration = 78,
}

/// A command that did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

/// What commands return.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// Wrong use: names the argument and what it takes.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    /// Wrong configuration: names file, line, field and what it takes, with the whole chain of causes.
    pub fn configuration(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Configuration, message: format!("{:#}", error.into()) }
    }

    /// A check found something wrong. What it found has been printed.
    pub fn check(message: impl fmt::Display) -> Self {
        Self { exit: Exit::CheckFailed, message: message.to_string() }
    }

    /// A store or service does not do its part; the whole chain of causes goes into the line.
    pub fn unavailable(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Unavailable, message: format!("{:#}", error.into()) }
    }

    /// The exit code.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// Says it on standard error and gives the code to the shell.
    pub fn report(&self) -> ExitCode {
        eprintln!("domicile: {}", self.message);
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// `?` on anything that is not said otherwise: something the command relies on did not answer.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::unavailable(error)
    }
}
