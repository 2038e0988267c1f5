//! What triggers do, held against an interpreter of their words that takes nothing from the rules: which of them do something, in which
//! order, what the ticket is then, and that there is an end.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Aggregate,
    rule::{Trigger, Triggers},
    ticket::{By, Changes, Command, Comment, Details, Open, Ticket, Update, by_people, fired},
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use schemas::{
    GroupId, PersonId, RuleId,
    rule::{RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleValue},
    ticket::TicketEvent,
    values::{Channel, Priority, Role, Status, TicketType, Visibility},
};

const REQUESTER: By = By { person: PersonId::new(1), role: Role::EndUser };
const AGENT: By = By { person: PersonId::new(8), role: Role::Agent };

/// Field, operator and value.
type Said = (&'static str, &'static str, &'static str);

/// A trigger as somebody said it.
#[derive(Debug, Clone)]
struct Words {
    all: Vec<Said>,
    any: Vec<Said>,
    actions: Vec<(&'static str, &'static str)>,
}

const CONDITIONS: &[Said] = &[
    ("update_type", "is", "Create"),
    ("update_type", "is", "Change"),
    ("status", "is", "open"),
    ("status", "is_not", "solved"),
    ("status", "less_than", "solved"),
    ("status", "changed", ""),
    ("status", "not_changed", ""),
    ("status", "value", "open"),
    ("status", "value", "closed"),
    ("status", "value_previous", "new"),
    ("status", "not_value", "solved"),
    ("status", "not_value_previous", "new"),
    ("priority", "is", ""),
    ("priority", "is", "high"),
    ("priority", "is_not", "low"),
    ("priority", "changed", ""),
    ("priority", "value", "high"),
    ("priority", "value_previous", ""),
    ("type", "is", "task"),
    ("type", "changed", ""),
    ("group_id", "is", "5"),
    ("group_id", "is", ""),
    ("group_id", "changed", ""),
    ("assignee_id", "is", ""),
    ("assignee_id", "is", "current_user"),
    ("assignee_id", "value", "8"),
    ("assignee_id", "changed", ""),
    ("requester_id", "is", "current_user"),
    ("current_tags", "includes", "a b"),
    ("current_tags", "not_includes", "a"),
    ("comment_is_public", "is", "true"),
    ("comment_is_public", "is", "false"),
    ("comment_is_public", "is", "not_relevant"),
    ("comment_includes_word", "includes", "smoke fire"),
    ("comment_includes_word", "not_includes", "smoke"),
    ("role", "is", "end_user"),
    ("role", "is", "agent"),
    ("role", "is_not", "8"),
    ("current_via_id", "is", "5"),
    ("current_via_id", "is_not", "4"),
];

const ACTIONS: &[(&str, &str)] = &[
    ("status", "open"),
    ("status", "pending"),
    ("status", "solved"),
    ("status", "closed"),
    ("priority", "high"),
    ("priority", "low"),
    ("priority", ""),
    ("type", "task"),
    ("type", ""),
    ("group_id", "5"),
    ("group_id", "6"),
    ("group_id", ""),
    ("assignee_id", "8"),
    ("assignee_id", "9"),
    ("assignee_id", "current_user"),
    ("assignee_id", ""),
    ("set_tags", "a"),
    ("current_tags", "b c"),
    ("remove_tags", "a"),
];

fn triggers() -> impl Strategy<Value = Vec<Words>> {
    let one = (vec(select(CONDITIONS), 0..3), vec(select(CONDITIONS), 0..3), vec(select(ACTIONS), 1..4));
    vec(one.prop_map(|(all, any, actions)| Words { all, any, actions }), 0..7)
}

fn comments() -> impl Strategy<Value = Comment> {
    let said = select(&["It smokes, SMOKE", "all quiet", "fire"][..]);
    (said, any::<bool>()).prop_map(|(said, is_public)| {
        if is_public { Comment::public(said.to_owned()) } else { Comment::internal(said.to_owned()) }
    })
}

fn openings() -> impl Strategy<Value = Command> {
    let handled = (option::of(Just(AGENT.person)), option::of(Just(GroupId::new(5))));
    (any::<bool>(), option::of(select(Priority::ALL)), handled, vec(select(&["a", "b"][..]), 0..2)).prop_map(
        |(is_own, priority, (assignee, group), tags)| {
            let comment = Comment::public("It smokes".to_owned());
            let open =
                Open::new(if is_own { REQUESTER } else { AGENT }, REQUESTER.person, "Kettle".to_owned(), comment);
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            let plain = Open { priority, ..open };
            if is_own { plain.into() } else { Open { assignee, group, tags: tags.into(), ..plain }.into() }
        },
    )
}

fn updates() -> impl Strategy<Value = Command> {
    let described = (
        option::weighted(0.3, option::of(select(Priority::ALL))),
        option::weighted(0.3, option::of(select(TicketType::ALL))),
    );
    let handled = (
        option::weighted(0.3, option::of(Just(GroupId::new(6)))),
        option::weighted(0.3, option::of(select(vec![AGENT.person, PersonId::new(9)]))),
        option::weighted(0.5, select(&Status::ALL[1..])),
    );
    let tags = option::weighted(0.3, vec(select(&["a", "b", "d"][..]), 0..3));
    (any::<bool>(), described, handled, tags, option::of(comments())).prop_map(
        |(is_requester, (priority, ticket_type), (group, assignee, status), tags, comment)| {
            if is_requester {
                let comment = comment.map(|comment| Comment { visibility: Some(Visibility::Public), ..comment });
                return Update { by: REQUESTER, changes: Changes::default(), comment, channel: Channel::Email }.into();
            }
            let tags: Option<Vec<String>> = tags.map(|tags| tags.into_iter().map(str::to_owned).collect());
            let changes = Changes {
                priority,
                ticket_type,
                group,
                assignee,
                status,
                tags: tags.map(Into::into),
                ..Changes::default()
            };
            Update { by: AGENT, changes, comment, channel: Channel::Api }.into()
        },
    )
}

fn definition(words: &Words) -> RuleDefinition {
    let text = |value: &str| RuleValue::Text(value.to_owned());
    let conditions = |said: &[Said]| {
        let one = |(field, operator, value): &Said| RuleCondition {
            field: (*field).to_owned(),
            operator: (*operator).to_owned(),
            value: text(value),
        };
        said.iter().map(one).collect()
    };
    let action = |(field, value): &(&str, &str)| RuleAction { field: (*field).to_owned(), value: text(value) };
    RuleDefinition {
        title: "T".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions { all: conditions(&words.all), any: conditions(&words.any) },
        actions: words.actions.iter().map(action).collect(),
        output: None,
    }
}

/// Read as the platform reads them; their ids are their places.
fn typed(words: &[Words]) -> Arc<Triggers> {
    let read = words.iter().enumerate().map(|(place, words)| {
        let rule = RuleId::new(i64::try_from(place).expect("a few"));
        Trigger::read((rule, Timestamp::UNIX_EPOCH), &definition(words), &[]).expect("a few clauses")
    });
    Arc::new(Triggers::new(read.collect(), Vec::new()))
}

/// A ticket in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    status: String,
    priority: String,
    kind: String,
    group: String,
    assignee: String,
    requester: String,
    tags: BTreeSet<String>,
}

impl Model {
    fn of(details: &Details) -> Self {
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        Self {
            status: details.status.to_string(),
            priority: text(details.priority),
            kind: text(details.ticket_type),
            group: text(details.group),
            assignee: text(details.assignee),
            requester: details.requester.to_string(),
            tags: details.tags.expose().iter().cloned().collect(),
        }
    }

    fn get(&self, field: &str) -> &str {
        match field {
            "status" => &self.status,
            "priority" => &self.priority,
            "type" => &self.kind,
            "group_id" => &self.group,
            "assignee_id" => &self.assignee,
            "requester_id" => &self.requester,
            other => panic!("no such field: {other}"),
        }
    }
}

/// What happened, in words.
struct World {
    before: Option<Model>,
    by: By,
    said: Option<(String, bool)>,
    is_by_mail: bool,
}

impl World {
    fn person(&self, value: &str) -> String {
        if value == "current_user" { self.by.person.to_string() } else { value.to_owned() }
    }

    fn holds(&self, now: &Model, (field, operator, value): &Said) -> bool {
        const LIVES: [&str; 6] = ["new", "open", "pending", "hold", "solved", "closed"];
        let negated = operator.starts_with("is_not") || operator.starts_with("not_");
        let plain = match (*field, operator.trim_start_matches("not_")) {
            ("update_type", _) => (*value == "Create") == self.before.is_none(),
            ("comment_is_public", _) => match (&self.said, *value) {
                (None, _) => false,
                (Some(_), "not_relevant") => true,
                (Some((_, is_public)), value) => (value == "true") == *is_public,
            },
            ("comment_includes_word", _) => {
                let said = self.said.as_ref().map(|(said, _)| said.to_lowercase()).unwrap_or_default();
                value.split(' ').any(|word| said.contains(word))
            }
            ("role", _) => match *value {
                "end_user" => self.by.role == Role::EndUser,
                "agent" => self.by.role == Role::Agent,
                id => self.by.person.to_string() == id,
            },
            ("current_via_id", _) => (*value == "4") == self.is_by_mail,
            ("current_tags", _) => value.split(' ').any(|tag| now.tags.contains(tag)),
            (field, "changed") => {
                let before = self.before.as_ref().map_or("", |before| before.get(field));
                before != now.get(field)
            }
            (field, "value") => self.was(field, value) == Some(false) && now.get(field) == self.person(value),
            (field, "value_previous") => self.was(field, value) == Some(true) && now.get(field) != self.person(value),
            ("status", "less_than") => {
                let place = |status: &str| LIVES.iter().position(|known| *known == status);
                place(&now.status) < place(value)
            }
            (field, _) => now.get(field) == self.person(value),
        };
        plain != negated
    }

    /// Whether it was this; before a ticket was opened, it was nothing in particular.
    fn was(&self, field: &str, value: &str) -> Option<bool> {
        Some(self.before.as_ref().is_some_and(|before| before.get(field) == self.person(value)))
    }

    /// The ticket after these actions, if they can be done together.
    fn done(&self, now: &Model, actions: &[(&str, &str)]) -> Option<Model> {
        let is_agent = self.by.role == Role::Agent;
        let (mut after, mut status, mut assignee) = (now.clone(), None, None);
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for (field, value) in actions {
            let words = || value.split(' ').map(str::to_owned).collect::<BTreeSet<String>>();
            match *field {
                "status" => status = Some((*value).to_owned()),
                "priority" => after.priority = (*value).to_owned(),
                "type" => after.kind = (*value).to_owned(),
                "group_id" => after.group = (*value).to_owned(),
                "assignee_id" if *value == "current_user" && !is_agent => {
                    assignee = Some("nobody who could".to_owned())
                }
                "assignee_id" => assignee = Some(self.person(value)),
                "set_tags" => after.tags = words(),
                "current_tags" => added.extend(words()),
                "remove_tags" => removed.extend(words()),
                other => panic!("no such action: {other}"),
            }
        }
        after.tags.extend(added);
        after.tags.retain(|tag| !removed.contains(tag));
        let has_status = status.is_some();
        let is_taken = assignee.as_ref().is_some_and(|who| !who.is_empty() && *who != now.assignee);
        after.status = match status {
            Some(status) => status,
            None if now.status == "new" && is_taken => "open".to_owned(),
            None => now.status.clone(),
        };
        after.assignee = assignee.unwrap_or_else(|| now.assignee.clone());
        if after.assignee.is_empty() && ["solved", "closed"].contains(&after.status.as_str()) {
            if !has_status || !is_agent {
                return None;
            }
            after.assignee = self.by.person.to_string();
        }
        let is_reopened = now.status == "closed" && after.status != "closed";
        (!is_reopened && after.assignee != "nobody who could").then_some(after)
    }

    /// All that can be done, or as much of it as can.
    fn as_much(&self, now: &Model, actions: &[(&'static str, &'static str)]) -> Model {
        if let Some(all) = self.done(now, actions) {
            return all;
        }
        let mut taken = vec![false; actions.len()];
        let chosen = |taken: &[bool]| -> Vec<(&'static str, &'static str)> {
            actions.iter().zip(taken).filter(|(_, taken)| **taken).map(|(action, _)| *action).collect()
        };
        'more: loop {
            for index in 0..actions.len() {
                if !taken[index] {
                    taken[index] = true;
                    if self.done(now, &chosen(&taken)).is_some() {
                        continue 'more;
                    }
                    taken[index] = false;
                }
            }
            return self.done(now, &chosen(&taken)).expect("it could be done");
        }
    }

    /// Which triggers changed what, in order. Without the guard, at most so many.
    fn run(&self, after: Model, triggers: &[Words], (is_guarded, most): (bool, usize)) -> Vec<(usize, Model)> {
        let (mut now, mut fired, mut done) = (after, vec![false; triggers.len()], Vec::new());
        'from_the_first: while done.len() < most {
            for (index, words) in triggers.iter().enumerate() {
                let all = words.all.iter().all(|said| self.holds(&now, said));
                let any = words.any.is_empty() || words.any.iter().any(|said| self.holds(&now, said));
                if fired[index] || !all || !any {
                    continue;
                }
                fired[index] = is_guarded;
                let then = self.as_much(&now, &words.actions);
                if then != now {
                    done.push((index, then.clone()));
                    now = then;
                    continue 'from_the_first;
                }
            }
            break;
        }
        done
    }
}

/// What the platform did: which triggers, and what the ticket was after each.
fn done(mut ticket: Ticket, events: &[TicketEvent]) -> Vec<(usize, Model)> {
    let (mut done, mut left) = (Vec::new(), 0);
    let mut rule = None;
    for event in events {
        ticket.evolve(event);
        if let TicketEvent::RuleApplied(applied) = event {
            assert_eq!(left, 0, "a rule does as much as it says");
            (rule, left) = (Some(applied.rule), applied.changes);
        } else if let Some(by) = rule {
            left -= 1;
            if left == 0 {
                let place = usize::try_from(by.get()).expect("a place");
                done.push((place, Model::of(ticket.details().expect("it was opened"))));
                rule = None;
            }
        }
    }
    assert_eq!(left, 0, "a rule does as much as it says");
    done
}

fn after(ticket: &Ticket, events: &[TicketEvent]) -> Ticket {
    let mut after = ticket.clone();
    events.iter().for_each(|event| after.evolve(event));
    after
}

/// One command, with and without triggers. Gives the ticket after it.
fn check(ticket: &Ticket, command: &Command, words: &[Words]) -> Result<Ticket, TestCaseError> {
    let watched = Command::Watched(Box::new(command.clone()), typed(words));
    let (plain, watched) = (ticket.decide(command), ticket.decide(&watched));
    let Ok(plain) = plain else {
        prop_assert!(watched.is_err(), "triggers allow nothing");
        return Ok(ticket.clone());
    };
    let Ok(watched) = watched else { return Err(TestCaseError::fail("triggers refuse nothing")) };
    let (by_people, by_triggers) = watched.split_at(plain.len());
    prop_assert!(by_people == plain.as_slice(), "what was asked for comes first");
    let then = after(ticket, &plain);
    let world = World {
        before: ticket.details().map(Model::of),
        by: command.by(),
        said: plain.iter().rev().find_map(|event| match event {
            TicketEvent::CommentAdded(added) => {
                Some((added.body.expose().clone(), added.visibility == Visibility::Public))
            }
            _ => None,
        }),
        is_by_mail: plain
            .iter()
            .any(|event| matches!(event, TicketEvent::CommentAdded(added) if added.channel == Channel::Email)),
    };
    let expected = match (plain.is_empty(), then.details()) {
        (false, Some(details)) => world.run(Model::of(details), words, (true, usize::MAX)),
        _ => Vec::new(),
    };
    let done = done(then.clone(), by_triggers);
    prop_assert_eq!(&done, &expected);
    let who: BTreeSet<usize> = done.iter().map(|(place, _)| *place).collect();
    prop_assert_eq!(who.len(), done.len(), "each once");
    Ok(after(&then, by_triggers))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn triggers_do_what_their_words_say_in_their_order_each_once(
        words in triggers(),
        opening in openings(),
        updates in vec(updates(), 0..4),
    ) {
        let mut ticket = check(&Ticket::default(), &opening, &words)?;
        for update in &updates {
            ticket = check(&ticket, update, &words)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A tenant has some triggers, and asks what others would have done to its history. At each command that is what they really do when
    /// the same command is given while they are in use.
    #[test]
    fn what_history_says_triggers_would_have_done_is_what_they_do(
        had in triggers(),
        tried in triggers(),
        opening in openings(),
        updates in vec(updates(), 0..5),
    ) {
        let mut ticket = Ticket::default();
        for command in std::iter::once(&opening).chain(&updates) {
            let with = |words: &[Words]| ticket.decide(&Command::Watched(Box::new(command.clone()), typed(words)));
            let Ok(recorded) = with(&had) else { continue };
            let people = by_people(&recorded);
            prop_assert_eq!(&people, &ticket.decide(command).expect("it was taken"));
            let would_have = fired(&ticket, command.by(), (&people, &typed(&tried)));
            let real = with(&tried).expect("it was taken");
            prop_assert_eq!(would_have.as_slice(), &real[people.len()..]);
            ticket = after(&ticket, &recorded);
        }
    }

    /// Until a trigger first does something, a tenant that has it lives as one that has not; and what it does first is what the history of
    /// the other says.
    #[test]
    fn the_first_thing_that_a_trigger_does_is_what_the_history_without_it_says(
        tried in triggers(),
        opening in openings(),
        updates in vec(updates(), 0..5),
    ) {
        let (mut without, mut with) = (Ticket::default(), Ticket::default());
        for command in std::iter::once(&opening).chain(&updates) {
            let watched = Command::Watched(Box::new(command.clone()), typed(&tried));
            let (Ok(plain), Ok(real)) = (without.decide(command), with.decide(&watched)) else { continue };
            let would_have = fired(&without, command.by(), (&by_people(&plain), &typed(&tried)));
            prop_assert_eq!(&real, &[plain.clone(), would_have.clone()].concat());
            if !would_have.is_empty() {
                break;
            }
            (without, with) = (after(&without, &plain), after(&with, &real));
        }
    }
}

/// Two that undo each other.
fn a_loop() -> Vec<Words> {
    let turn =
        |from, to| Words { all: vec![("priority", "is", from)], any: Vec::new(), actions: vec![("priority", to)] };
    vec![turn("high", "low"), turn("low", "high")]
}

#[test]
fn two_triggers_that_undo_each_other_come_to_an_end() {
    let comment = Comment::public("It smokes".to_owned());
    let open = Open::new(AGENT, REQUESTER.person, "Kettle".to_owned(), comment);
    let opening = Open { priority: Some(Priority::High), ..open }.into();
    let ticket = check(&Ticket::default(), &opening, &a_loop()).expect("as the interpreter says");
    assert_eq!(ticket.details().and_then(|details| details.priority), Some(Priority::High), "there and back");
}

/// The twin of the interpreter: without its guard the loop above goes on.
#[test]
fn without_the_guard_they_would_not() {
    let opened = Ticket::default().decide(&openings_of_agent()).expect("it is right");
    let ticket = after(&Ticket::default(), &opened);
    let world = World { before: None, by: AGENT, said: None, is_by_mail: false };
    let now = Model { priority: "high".to_owned(), ..Model::of(ticket.details().expect("it was opened")) };
    assert_eq!(world.run(now.clone(), &a_loop(), (true, 100)).len(), 2);
    assert_eq!(world.run(now, &a_loop(), (false, 100)).len(), 100);
}

fn openings_of_agent() -> Command {
    Open::new(AGENT, REQUESTER.person, "Kettle".to_owned(), Comment::public("It smokes".to_owned())).into()
}
