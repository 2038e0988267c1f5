//! What somebody typed.

use auditor::replay::{Of, Step};
/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// Another event.
    Step(Step),
    /// All events of the same command.
    Command,
    /// The events that this one caused.
    Effects,
    /// The whole state of the aggregate.
    State,
    /// The keys.
    Help,
    /// The end.
    Quit,
}

/// The keys.
pub(super) const HELP: &str = "\
  n, next              the next event                 b, back              the one before
  n ticket 42          the next of a ticket           b ticket 42          the one before of it
  n person 7           the next that a person did, or that was done to them        b person 7   the one before
  n stream upload-9    the next of any stream         (stream person-7: only what was done to them)
  n .                  the next of this stream        b .                  the one before of it
  42                   to position 42                 2026-11-22T10:00:00Z to what was last recorded by then
  first, last          to the ends                    (empty line)         the same again
  c, cause             to the event that caused this  e, effects           the events it caused
  e 1                  to the first of those          command              all events of the same command
  s, state             the whole state of its aggregate as of this event
  ?, help              these keys                     q, quit              the end";

impl Ask {
    /// Reads a line. An empty one asks for the same again.
    pub(super) fn read(line: &str, last: &Self) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words.as_slice() {
            [] => last.clone(),
            ["n" | "next"] => Self::Step(Step::Next),
            ["b" | "back" | "p" | "previous"] => Self::Step(Step::Back),
            ["n" | "next", "."] => Self::Step(Step::NextOfSame),
            ["b" | "back" | "p" | "previous", "."] => Self::Step(Step::BackOfSame),
            ["n" | "next", of @ ..] => Self::Step(Step::NextOf(whose(of)?)),
            ["b" | "back" | "p" | "previous", of @ ..] => Self::Step(Step::BackOf(whose(of)?)),
            of @ ["ticket" | "person" | "stream", _] => Self::Step(Step::NextOf(whose(of)?)),
            ["first"] => Self::Step(Step::To(schemas::Position::new(1))),
            ["last" | "end"] => Self::Step(Step::ToEnd),
            ["c" | "cause"] => Self::Step(Step::Cause),
            ["e" | "effects"] => Self::Effects,
            ["e" | "effects", number] => {
                Self::Step(Step::Effect(number.parse().map_err(|_| format!("{number}: takes a number from 1"))?))
            }
            ["command"] => Self::Command,
            ["s" | "state"] => Self::State,
            ["?" | "h" | "help"] => Self::Help,
            ["q" | "quit" | "exit"] => Self::Quit,
            [place] => Self::Step(to(place)?),
            _ => return Err(format!("{}: nothing that is known here", line.trim())),
        })
    }
}

fn whose(words: &[&str]) -> Result<Of, String> {
    match words {
        ["person", id] => id
            .parse()
            .map(Of::Person)
            .map_err(|_| format!("person {id}: takes the number of a person, such as person 7")),
        ["ticket", number] => {
            let stream = format!("ticket-{number}").parse().map(Of::Stream);
            stream.map_err(|_| format!("ticket {number}: takes the number of a ticket, such as ticket 42"))
        }
        ["stream", name] | [name] => name.parse().map(Of::Stream).map_err(|error| format!("{error}")),
        _ => Err("takes ticket NUMBER, person ID or stream NAME".to_owned()),
    }
}

fn to(place: &str) -> Result<Step, String> {
    let position = place.parse().map(Step::To);
    position.or_else(|_| place.parse().map(Step::ToTime)).map_err(|_| format!("{place}: no key, position or time"))
}

#[cfg(test)]
mod tests {
    use schemas::Position;

    use super::*;

    #[test]
    fn every_key_of_the_help_is_read() {
        let read = |line| Ask::read(line, &Ask::Quit);
        let stream = |name: &str| Of::Stream(name.parse().expect("a stream"));
        let (ticket, person) = (|| stream("ticket-42"), || Of::Person(schemas::PersonId::new(7)));
        for (line, ask) in [
            ("n", Ask::Step(Step::Next)),
            (" back ", Ask::Step(Step::Back)),
            ("n ticket 42", Ask::Step(Step::NextOf(ticket()))),
            ("ticket 42", Ask::Step(Step::NextOf(ticket()))),
            ("b ticket-42", Ask::Step(Step::BackOf(ticket()))),
            ("n stream ticket-42", Ask::Step(Step::NextOf(ticket()))),
            ("n person 7", Ask::Step(Step::NextOf(person()))),
            ("b person 7", Ask::Step(Step::BackOf(person()))),
            ("person 7", Ask::Step(Step::NextOf(person()))),
            ("n stream person-7", Ask::Step(Step::NextOf(stream("person-7")))),
            ("n .", Ask::Step(Step::NextOfSame)),
            ("b .", Ask::Step(Step::BackOfSame)),
            ("42", Ask::Step(Step::To(Position::new(42)))),
            ("2026-11-22T10:00:00Z", Ask::Step(Step::ToTime("2026-11-22T10:00:00Z".parse().expect("a time")))),
            ("last", Ask::Step(Step::ToEnd)),
            ("c", Ask::Step(Step::Cause)),
            ("e", Ask::Effects),
            ("e 2", Ask::Step(Step::Effect(2))),
            ("command", Ask::Command),
            ("s", Ask::State),
            ("?", Ask::Help),
            ("", Ask::Quit),
        ] {
            assert_eq!(read(line), Ok(ask), "{line}");
        }
        for (line, why) in [
            ("x", "no key, position or time"),
            ("yesterday", "no key, position or time"),
            ("42 43", "nothing that is known here"),
            ("n ticket", "ticket"),
            ("n ticket x", "ticket x: takes the number of a ticket"),
            ("n person", "person"),
            ("person ada", "person ada: takes the number of a person"),
            ("b person 7 8", "takes ticket NUMBER, person ID or stream NAME"),
            ("n stream nobody-1", "nobody-1"),
            ("e one", "one: takes a number from 1"),
        ] {
            let said = read(line).expect_err(line);
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
