//! Processes: children that die with us, and what `/proc` knows of others.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use anyhow::Context;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

/// A child that the kernel kills when this process ends, in whichever way.
///
/// The kernel's parent-death signal follows the thread that started the child, so that is one which waits for its end.
#[derive(Debug)]
pub struct Child {
    id: Pid,
    ended: Arc<Mutex<Option<ExitStatus>>>,
}

impl Child {
    /// Starts a program with the arguments and the environment of `command`; its outputs are appended to two files.
    pub fn start(command: &Command, output: &Path, errors: &Path) -> anyhow::Result<Self> {
        let append = |path: &Path| fs::OpenOptions::new().create(true).append(true).open(path);
        let mut tied = Command::new("setpriv");
        tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => tied.env(name, value),
                None => tied.env_remove(name),
            };
        }
        tied.stdin(Stdio::null()).stdout(append(output)?).stderr(append(errors)?);
        Self::start_tied(tied)
    }

    fn start_tied(mut command: Command) -> anyhow::Result<Self> {
        let ended = Arc::new(Mutex::new(None));
        let end = Arc::clone(&ended);
        let (started, start) = mpsc::sync_channel(1);
        thread::spawn(move || match command.spawn() {
            Ok(mut child) => {
                let _ = started.send(Ok(child.id()));
                let status = child.wait().expect("a child that was started can be waited for");
                *end.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
            }
            Err(error) => drop(started.send(Err(error))),
        });
        let id = start.recv().context("the thread sends before it ends")?.context("setpriv starts the program")?;
        Ok(Self { id: Pid::from_raw(i32::try_from(id)?), ended })
    }

    /// The process.
    pub const fn id(&self) -> Pid {
        self.id
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<ExitStatus> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends it a signal. One that has ended is past all signals.
    pub fn signal(&self, signal: Signal) {
        if self.ended().is_none() {
            let _ = signal::kill(self.id, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Whether a process died as by `kill -9`.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::SIGKILL as i32)
}

/// Every process that works in a folder or names it in its command line, zombies left out.
pub fn processes_of(folder: &Path) -> Vec<Pid> {
    let own = Pid::this();
    all().into_iter().filter(|&process| process != own && belongs(process, folder)).collect()
}

/// The processes whose parent this is.
pub fn children_of(parent: Pid) -> Vec<Pid> {
    all().into_iter().filter(|&process| parent_of(process) == Some(parent)).collect()
}

fn all() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw).collect()
}

fn belongs(process: Pid, folder: &Path) -> bool {
    // Postgres changes the command line of its children, but they stay in their data folder.
    let works_there = fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    let name = folder.as_os_str().as_encoded_bytes();
    let names_it = fs::read(format!("/proc/{process}/cmdline"))
        .is_ok_and(|line| line.windows(name.len()).any(|part| part == name));
    works_there || names_it
}

/// The fourth field of `stat`, after the name in parentheses.
fn parent_of(process: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
    parent.parse().ok().map(Pid::from_raw)
}
