//! The program on a terminal: a pseudo-terminal that a test types into.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
};

use crate::vectors::{Keys, command};

/// What a step may take. Reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program on a terminal.
struct Terminal {
    screen: File,
    child: Child,
    /// What was shown since the last question.
    shown: String,
}

impl Terminal {
    fn start(keys: &Keys, more: &[&str]) -> Self {
        let pair = openpty(None, None).expect("a pseudo-terminal");
        let end = || Stdio::from(pair.slave.try_clone().expect("a descriptor"));
        let mut command = command(&["audit", "replay"], keys, more);
        let child = command.stdin(end()).stdout(end()).stderr(Stdio::null()).spawn().expect("the program runs");
        drop(command);
        let mut terminal = Self { screen: File::from(pair.master), child, shown: String::new() };
        terminal.wait_for("> ");
        terminal
    }

    /// What it complains about, where it refuses to step.
    fn refused(keys: &Keys, more: &[&str]) -> String {
        let pair = openpty(None, None).expect("a pseudo-terminal");
        let end = || Stdio::from(pair.slave.try_clone().expect("a descriptor"));
        let mut command = command(&["audit", "replay"], keys, more);
        let done = command.stdin(end()).stdout(end()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let done = done.wait_with_output().expect("it ends");
        assert_eq!(done.status.code(), Some(64), "{done:?}");
        String::from_utf8_lossy(&done.stderr).into_owned()
    }

    /// Reads until the program asks for the next line at this prompt.
    fn wait_for(&mut self, prompt: &str) {
        let deadline = Instant::now() + PATIENCE;
        self.shown.clear();
        while !self.shown.ends_with(prompt) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {prompt:?} after: {}", self.shown);
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            poll(&mut [PollFd::new(std::os::fd::AsFd::as_fd(&self.screen), PollFlags::POLLIN)], timeout)
                .expect("polls");
            let mut bytes = [0; 4096];
            let read = self.screen.read(&mut bytes).expect("reads");
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    /// Types a line and gives what is shown in answer.
    fn ask(&mut self, line: &str) -> String {
        writeln!(self.screen, "{line}").expect("types");
        self.wait_for("> ");
        // The terminal shows what is typed, and ends lines in its own way.
        self.shown.replace("\r\n", "\n").trim_start_matches(line).to_owned()
    }

    fn quit(mut self) {
        writeln!(self.screen, "q").expect("types");
        assert!(self.child.wait().expect("it ends").success());
    }
}

#[test]
fn on_a_terminal_it_steps() {
    let keys = Keys::given();
    let mut terminal = Terminal::start(&keys, &[]);
    let first = terminal.shown.clone();
    assert!(
        first.contains("positions 1 to 8") && first.contains("position 1 of 8") && first.contains("tenant_registered"),
        "{first}"
    );
    let second = terminal.ask("n");
    assert!(second.contains("position 2 of 8") && second.contains("state of tenant"), "{second}");
    assert!(terminal.ask("").contains("position 3 of 8"), "an empty line asks for the same again");
    assert!(terminal.ask("b").contains("position 2 of 8"));
    let ticket = terminal.ask("ticket 1");
    assert!(ticket.contains("ticket-1 version 1") && ticket.contains("+ subject:"), "{ticket}");
    let next = terminal.ask("n .");
    assert!(next.contains("ticket-1 version 2"), "{next}");
    assert_eq!(terminal.ask("b .").split("state of").next(), ticket.split("state of").next());
    assert!(terminal.ask("8").contains("position 8 of 8"));
    assert!(terminal.ask("n").contains("this is the last event"));
    assert!(terminal.ask("ticket 99").contains("the log holds no event of ticket-99"));
    assert!(terminal.ask("1999-01-01T00:00:00Z").contains("nothing was recorded by then"));
    assert!(terminal.ask("s").contains("\"status\""));
    assert!(terminal.ask("command").contains("of the same command"));
    assert!(terminal.ask("frobnicate").contains("? lists the keys"));
    let help = terminal.ask("?");
    assert!(
        ["next of a ticket", "to position 42", "caused", "quit"].iter().all(|words| help.contains(words)),
        "{help}"
    );
    let cause = terminal.ask("c");
    assert!(cause.contains("position 7 of 8"), "{cause}");
    assert!(terminal.ask("e").contains("1 events caused by this one"));
    let effect = terminal.ask("e 1");
    assert!(effect.contains("position 8 of 8") && effect.contains("caused by the event at position 7"), "{effect}");
    assert!(terminal.ask("first").contains("position 1 of 8"));
    assert!(terminal.ask("c").contains("names no cause"));
    terminal.quit();
}

#[test]
fn on_a_terminal_it_jumps_to_a_person_on_every_stream_to_times_and_along_causes() {
    let keys = Keys::given();
    let mut terminal = Terminal::start(&keys, &[]);
    // Added, then a file, a ticket and two comments of theirs: three streams.
    for (position, stream) in [(3, "person-1"), (4, "upload-21"), (5, "ticket-1"), (6, "ticket-1"), (7, "ticket-1")] {
        let shown = terminal.ask("person 1");
        assert!(shown.contains(&format!("position {position} of 8")) && shown.contains(stream), "{shown}");
    }
    assert!(terminal.ask("n person 1").contains("it has no later event; its last is at 7"));
    assert!(terminal.ask("b person 1").contains("position 6 of 8"));
    assert!(terminal.ask("").contains("position 5 of 8"), "an empty line goes on with the person");
    let own = terminal.ask("b stream person-1");
    assert!(own.contains("position 3 of 8") && own.contains("person-1 version 1"), "{own}");
    assert!(terminal.ask("b person 1").contains("it has no earlier event; its first is at 3"));
    assert!(terminal.ask("person 7").contains("the log holds no event of person 7, nor of what they did"));
    let bad = terminal.ask("person Ada");
    assert!(bad.contains("person Ada: takes the number of a person, such as person 7; ? lists the keys"), "{bad}");
    assert!(terminal.ask("ticket one").contains("ticket one: takes the number of a ticket, such as ticket 42"));
    assert!(terminal.ask("stream nobody").contains("nobody"));

    assert!(terminal.ask("2026-11-22T23:59:59.5Z").contains("position 4 of 8"), "what was last recorded by then");
    assert!(terminal.ask("2026-11-22T23:59:59.6Z").contains("position 4 of 8"));
    assert!(terminal.ask("2099-01-01T00:00:00Z").contains("position 8 of 8"));
    assert!(terminal.ask("2026-11-31T00:00:00Z").contains("no key, position or time"));
    assert!(terminal.ask("c").contains("position 7 of 8"));
    assert!(terminal.ask("c").contains("names no cause"));
    assert!(terminal.ask("e 2").contains("it caused 1 events"));
    assert!(terminal.ask("e 1").contains("position 8 of 8"));
    terminal.quit();
}

#[test]
fn without_keys_the_terminal_says_sealed_and_with_them_erased() {
    let mut sealed = Terminal::start(&Keys::none(), &["--ticket", "1"]);
    let shown = sealed.shown.clone();
    assert!(
        shown.contains("ticket-1 version 1")
            && shown.contains("(sealed)")
            && shown.contains("state of ticket-1: sealed"),
        "{shown}"
    );
    assert!(!sealed.ask("n").contains("(erased)"));
    sealed.quit();
    let keys = Keys::given();
    let mut opened = Terminal::start(&keys, &["--as-of", "1"]);
    let all: String = (0..7).map(|_| opened.ask("n")).collect();
    assert!(all.contains("(erased)") && !all.contains("(sealed)"), "{all}");
    opened.quit();
}

#[test]
fn stepping_begins_at_the_first_event_since_a_time_and_ends_with_another() {
    let keys = Keys::given();
    for (from, position) in [
        ("1999-01-01T00:00:00Z", 1),
        ("2026-11-22T23:59:58Z", 1),
        ("2026-11-22T23:59:59Z", 4),
        ("2026-11-22T23:59:59.5Z", 4),
        ("2026-11-23T00:00:00Z", 7),
    ] {
        let terminal = Terminal::start(&keys, &["--from-time", from]);
        assert!(terminal.shown.contains(&format!("position {position} of 8")), "{from}: {}", terminal.shown);
        terminal.quit();
    }
    let span = ["--from-time", "2026-11-22T23:59:59Z", "--to-time", "2026-11-22T23:59:59.999999Z"];
    let mut terminal = Terminal::start(&keys, &span);
    assert!(terminal.shown.contains("positions 1 to 6") && terminal.shown.contains("position 4 of 6"));
    assert!(terminal.ask("last").contains("position 6 of 6"));
    assert!(terminal.ask("n").contains("this is the last event"));
    let refused = terminal.ask("7");
    assert!(!refused.contains("position 7 of"), "{refused}");
    terminal.quit();
    for (more, says) in [
        (&["--from-time", "2099-01-01T00:00:00Z"][..], "--from-time: nothing up to position 8"),
        (&["--from-time", "2026-11-23T00:00:00Z", "--as-of", "3"], "--as-of, --from-time: both say where"),
        (&["--to-time", "1999-01-01T00:00:00Z"], "--to-time: before the first event"),
        (&["--from-time", "2026-11-23T00:00:00Z", "--to-time", "2026-11-22T23:59:59Z"], "up to position 3"),
        (&["--from-time", "2026-11-23T00:00:00Z", "--stream", "person-1"], "--from-time: nothing up to position 8"),
    ] {
        let said = Terminal::refused(&keys, more);
        assert!(said.contains(says), "{more:?}: {said}");
    }
}
