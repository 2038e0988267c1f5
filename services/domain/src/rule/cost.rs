//! What it takes to ask a trigger, so that asking all of them has an end that can be told beforehand.
//!
//! Texts are made small once a command, and what is sought in one that stays as it is is sought once. Everything else weighs something;
//! whoever asks adds the weights up.

use std::cell::OnceCell;

use schemas::{rule::RuleDefinition, values::RuleKind};

use super::{
    Action, Condition, Conditions, FieldTest, Happened, Prose, Unknown, Vocabulary,
    trigger::{Changing, Watch, Watches},
};

/// What an attempt to do something weighs, whatever it is.
const ATTEMPT: usize = 100;
/// What an action weighs, and each tag of one.
const ACTION: usize = 10;
/// What a value weighs that is held against several others.
const VALUE: usize = 4;

/// The texts that words are sought in, in small letters: each is made so when somebody first asks.
#[derive(Debug, Clone, Default)]
pub struct Lowered {
    subject: OnceCell<String>,
    description: OnceCell<String>,
    said: OnceCell<String>,
}

impl Lowered {
    /// The subject is another now.
    pub fn forget_subject(&mut self) {
        self.subject = OnceCell::new();
    }

    pub(super) fn prose(&self, of: Prose, happened: &Happened<'_>) -> &str {
        match of {
            Prose::Subject => self.subject.get_or_init(|| happened.now.subject.to_lowercase()),
            Prose::Description => self.description.get_or_init(|| happened.now.description.to_lowercase()),
        }
    }

    /// Whoever said nothing said an empty text.
    pub(super) fn said(&self, happened: &Happened<'_>) -> &str {
        self.said.get_or_init(|| happened.said.map(|(said, _)| said.to_lowercase()).unwrap_or_default())
    }
}

impl Watches {
    /// Places for what was found in texts that stay as they are while triggers are asked, one for each thing it asks.
    pub fn unanswered(&self) -> Vec<OnceCell<bool>> {
        vec![OnceCell::new(); self.all.len() + self.any.len()]
    }

    /// What it weighs to ask all of it.
    pub fn weight(&self) -> usize {
        self.all.iter().chain(&self.any).map(Watch::weight).sum()
    }

    /// How many words they look for in texts.
    pub fn words(&self) -> usize {
        let words = self.all.iter().chain(&self.any).map(|watch| match watch {
            Watch::Ticket(Condition::Text { any_of, .. }) | Watch::Words(any_of, _) => any_of.len(),
            _ => 0,
        });
        words.sum()
    }
}

impl Watch {
    /// Whether it asks of a text that triggers leave alone.
    pub(super) const fn is_of_lasting_text(&self) -> bool {
        matches!(self, Self::Words(..) | Self::Ticket(Condition::Text { of: Prose::Description, .. }))
    }

    fn weight(&self) -> usize {
        match self {
            Self::Ticket(condition) | Self::Became(condition, _) | Self::Ceased(condition, _) => match condition {
                Condition::Tags { any_of, .. } | Condition::Field { test: FieldTest::AnyOf(any_of), .. } => {
                    1 + VALUE * any_of.len()
                }
                Condition::Text { of: Prose::Subject, any_of, .. } => 1 + any_of.len(),
                _ => 1,
            },
            Self::Changed(Changing::Field(_), _) => VALUE,
            _ => 1,
        }
    }
}

/// What it weighs to try whether the rules take these.
pub fn attempt(actions: &[Action]) -> usize {
    let weight = |action: &Action| match action {
        Action::SetTags(tags) | Action::AddTags(tags) | Action::RemoveTags(tags) => ACTION * (1 + tags.len()),
        _ => ACTION,
    };
    ATTEMPT + actions.iter().map(weight).sum::<usize>()
}

/// How many words a trigger or an automation looks for in texts while it is in use.
pub fn words_in_use(kind: RuleKind, definition: &RuleDefinition) -> usize {
    if !definition.is_active {
        return 0;
    }
    let vocabulary = Vocabulary { fields: &[], unknown: Unknown::Empty };
    let words = match kind {
        RuleKind::Trigger => Watches::read(&definition.conditions, vocabulary).map(|watches| watches.words()),
        RuleKind::View | RuleKind::Macro | RuleKind::Automation => {
            Conditions::read(&definition.conditions, vocabulary).map(|conditions| conditions.words())
        }
    };
    words.unwrap_or_default()
}
