//! What an earlier process left behind in a cluster's folder: perhaps a server that still runs, perhaps a lock file of one
//! that does not.
//!
//! Postgres takes the process that its lock file names for a server, if there is any process of that number and user: also one
//! that was killed and that nobody has waited for yet, and also, after a restart of the machine, the server of the cluster next
//! door. Then it refuses to start, perhaps for ever. Here the question is asked of every process: does it work in this folder?

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Stops a server that still runs in the folder, and removes its lock file once nobody works there any more.
///
/// Whoever calls holds the cluster for itself: nobody else starts a server in it meanwhile. A server that does not end in time
/// keeps its lock file, and the next server then says so.
pub(super) fn clear(data: &Path) {
    let lock_file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&lock_file) else { return };
    let server = text.lines().next().and_then(|line| line.trim().parse().ok()).map(Pid::from_raw);
    if let Some(server) = server.filter(|&server| works_in(server, data)) {
        let _ = signal::kill(server, Signal::SIGINT);
    }
    let deadline = Instant::now() + PATIENCE;
    // The children of a server that was killed notice it within moments, and end.
    while is_worked_in(data) {
        if Instant::now() > deadline {
            return;
        }
        thread::sleep(PAUSE);
    }
    let _ = fs::remove_file(lock_file);
}

fn is_worked_in(data: &Path) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw);
    ids.any(|process| works_in(process, data))
}

/// A server and its children stay in their data folder. One that has ended works nowhere, also if nobody has waited for it.
fn works_in(process: Pid, data: &Path) -> bool {
    fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|folder| folder == data)
}
