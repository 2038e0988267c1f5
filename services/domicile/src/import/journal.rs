//! What an import has done so far: one line a message. It saves work when an import runs again; it is not what prevents
//! doubles, the idempotency keys are. Losing it costs time only.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// The journal of one tenant's import.
#[derive(Debug)]
pub struct Journal {
    done: Mutex<HashMap<String, i64>>,
    file: Mutex<File>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    message: String,
    ticket: i64,
}

impl Journal {
    /// Opens the journal, or begins one.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut done = HashMap::new();
        for line in BufReader::new(&file).lines() {
            // The last line may have been cut off; its message is then done once more, to no effect.
            if let Ok(line) = serde_json::from_str::<Line>(&line?) {
                done.insert(line.message, line.ticket);
            }
        }
        Ok(Self { done: Mutex::new(done), file: Mutex::new(file) })
    }

    /// The ticket a message is in, if it was done.
    pub fn ticket_of(&self, message: &str) -> Option<i64> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).get(message).copied()
    }

    /// A message is in a ticket.
    pub fn record(&self, message: &str, ticket: i64) -> io::Result<()> {
        let line = serde_json::to_string(&Line { message: message.to_owned(), ticket })?;
        // A line cut off by an earlier end must not swallow this one.
        writeln!(self.file.lock().unwrap_or_else(PoisonError::into_inner), "\n{line}")?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(message.to_owned(), ticket);
        Ok(())
    }
}
