//! Threads: which messages belong together, and in which order they were said.
//!
//! In-Reply-To and References decide, and nothing else: neither subjects nor dates join messages. A message without an id
//! can answer others, and nobody can answer it, so it never joins two threads.

use std::collections::{BTreeMap, BTreeSet};

use super::message::Mail;

/// Messages that belong together, the one that opened the thread first, every answer behind what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// At least one message.
    pub mails: Vec<Mail>,
}

/// Sorts messages into threads, in the order of their first messages.
pub fn threads(mails: Vec<Mail>) -> Vec<Thread> {
    let mut sets = DisjointSets::default();
    let nodes: Vec<Vec<usize>> = mails.iter().map(|mail| nodes_of(mail, &mut sets)).collect();
    for linked in &nodes {
        for pair in linked.windows(2) {
            sets.join(pair[0], pair[1]);
        }
    }
    let mut groups: BTreeMap<usize, Vec<Mail>> = BTreeMap::new();
    for (mail, linked) in mails.into_iter().zip(&nodes) {
        groups.entry(sets.root(linked[0])).or_default().push(mail);
    }
    let mut threads: Vec<Thread> = groups.into_values().map(|mails| Thread { mails: in_order(mails) }).collect();
    threads.sort_by_key(|thread| said_at(&thread.mails[0]));
    threads
}

/// The node of the message itself, then one for each id it answers. Ids nobody holds are nodes too: two answers to a lost
/// message belong together.
fn nodes_of(mail: &Mail, sets: &mut DisjointSets) -> Vec<usize> {
    let itself = match &mail.id {
        Some(id) => sets.named(id),
        None => sets.unnamed(),
    };
    std::iter::once(itself).chain(mail.answers.iter().map(|id| sets.named(id))).collect()
}

fn said_at(mail: &Mail) -> (i64, std::path::PathBuf) {
    (mail.date.unwrap_or(i64::MAX), mail.path.clone())
}

/// By date, but never before what it answers: clocks of senders differ.
fn in_order(mut waiting: Vec<Mail>) -> Vec<Mail> {
    waiting.sort_by_key(said_at);
    let mut unsaid: BTreeSet<String> = waiting.iter().filter_map(|mail| mail.id.clone()).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let answers_nothing_unsaid =
            |mail: &Mail| mail.answers.iter().all(|id| mail.id.as_ref() == Some(id) || !unsaid.contains(id));
        // Messages that answer each other in a circle exist: then the earliest goes first.
        let next = waiting.iter().position(answers_nothing_unsaid).unwrap_or(0);
        let mail = waiting.remove(next);
        if let Some(id) = &mail.id {
            unsaid.remove(id);
        }
        ordered.push(mail);
    }
    ordered
}

/// Union-find over message ids.
#[derive(Default)]
struct DisjointSets {
    by_name: BTreeMap<String, usize>,
    parents: Vec<usize>,
}

impl DisjointSets {
    fn unnamed(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    fn named(&mut self, id: &str) -> usize {
        if let Some(&node) = self.by_name.get(id) {
            return node;
        }
        let node = self.unnamed();
        self.by_name.insert(id.to_owned(), node);
        node
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn mail(name: &str, id: &str, answers: &[&str], date: i64) -> Mail {
        let text = format!(
            "From: a@x.org\nMessage-ID: <{id}>\nReferences: {}\n\nhello\n",
            answers.iter().map(|id| format!("<{id}> ")).collect::<String>()
        );
        let mut mail = Mail::parse(Path::new(name), text.as_bytes()).expect("readable");
        mail.date = Some(date);
        mail
    }

    fn names(threads: &[Thread]) -> Vec<Vec<&str>> {
        let name = |mail: &Mail| mail.path.to_str().map(str::to_owned).expect("text");
        threads
            .iter()
            .map(|thread| thread.mails.iter().map(|mail| Box::leak(name(mail).into_boxed_str()) as &str).collect())
            .collect()
    }

    #[test]
    fn an_answer_follows_what_it_answers_whatever_its_date() {
        let threads = threads(vec![
            mail("answer", "b@x", &["a@x"], 1),
            mail("root", "a@x", &[], 2),
            mail("other", "c@x", &[], 3),
        ]);
        assert_eq!(names(&threads), [vec!["root", "answer"], vec!["other"]]);
    }

    #[test]
    fn answers_to_a_lost_message_belong_together() {
        let threads = threads(vec![mail("one", "b@x", &["lost@x"], 2), mail("two", "c@x", &["lost@x"], 1)]);
        assert_eq!(names(&threads), [vec!["two", "one"]]);
    }

    #[test]
    fn an_empty_message_id_never_joins_two_threads() {
        let threads = threads(vec![mail("one", "", &[], 1), mail("two", "", &[], 2), mail("three", "", &["a@x"], 3)]);
        assert_eq!(names(&threads), [vec!["one"], vec!["two"], vec!["three"]]);
    }

    #[test]
    fn messages_that_answer_each_other_are_one_thread() {
        let threads = threads(vec![mail("one", "a@x", &["b@x"], 2), mail("two", "b@x", &["a@x"], 1)]);
        assert_eq!(names(&threads), [vec!["two", "one"]]);
    }
}
