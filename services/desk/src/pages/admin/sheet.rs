//! Forms of the admin centre. One that is refused comes again with all that was typed, and says at each field what is wrong with it; one
//! that somebody else was faster with says what stands there now, and is sent on top of that if it is sent again.

use std::fmt::Display;

use axum::{
    Extension,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use schemas::Version;

use super::around;
use crate::{
    api::settle,
    body::form::Form,
    caller::Caller,
    execute::Done,
    pages::words::Words,
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::WroteNothing,
};

/// An option of a list.
pub(super) struct Pick {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// A field as a form shows it.
pub(super) struct Field {
    /// Its name in the form, and the id of its input.
    pub(super) key: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    /// `text`, `email`, `textarea`, `checkbox` or `select`.
    pub(super) kind: &'static str,
    /// What stands in it; of a box, whether it is ticked: anything but nothing.
    pub(super) text: String,
    pub(super) picks: Vec<Pick>,
    pub(super) error: Option<String>,
    /// What somebody else made of it meanwhile.
    pub(super) now: Option<String>,
}

impl Field {
    /// A field for text of a kind.
    pub(super) fn text(kind: &'static str, key: &'static str, label: impl Display, text: &str) -> Self {
        Self {
            key,
            label: label.to_string(),
            hint: String::new(),
            kind,
            text: text.to_owned(),
            picks: Vec::new(),
            error: None,
            now: None,
        }
    }

    /// A box to tick.
    pub(super) fn tick(key: &'static str, label: impl Display, is_ticked: bool) -> Self {
        Self::text("checkbox", key, label, if is_ticked { "true" } else { "" })
    }

    /// A list to choose one of. What is chosen is there also when it is offered no more.
    pub(super) fn select(
        (key, label): (&'static str, impl Display),
        chosen: &str,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let pick = |(value, name): (String, String)| Pick { is_chosen: value == chosen, value, name };
        let mut picks: Vec<Pick> = options.into_iter().map(pick).collect();
        if !picks.iter().any(|pick| pick.is_chosen) && !chosen.is_empty() {
            picks.push(Pick { value: chosen.to_owned(), name: chosen.to_owned(), is_chosen: true });
        }
        Self { picks, ..Self::text("select", key, label, chosen) }
    }

    /// With a word of explanation.
    pub(super) fn hint(self, hint: impl Display) -> Self {
        Self { hint: hint.to_string(), ..self }
    }

    /// What stands in it, for people.
    fn written(&self, words: &Words) -> String {
        match self.kind {
            "checkbox" if self.text.is_empty() => words.say("admin-no").to_string(),
            "checkbox" => words.say("admin-yes").to_string(),
            "select" => {
                let chosen = self.picks.iter().find(|pick| pick.is_chosen);
                chosen.map_or_else(String::new, |pick| pick.name.clone())
            }
            _ => self.text.clone(),
        }
    }
}

/// Something that is wrong.
pub(super) struct Fault {
    /// The id of the input it is at; nothing, if it is about the whole.
    pub(super) id: &'static str,
    pub(super) label: String,
    pub(super) text: String,
}

/// A form.
pub(super) struct Sheet {
    /// Where it is sent.
    pub(super) action: String,
    /// What its button says.
    pub(super) submit: String,
    /// What makes a form that is sent twice be carried out once.
    pub(super) once: String,
    /// The version of what it shows.
    pub(super) seen: Option<Version>,
    pub(super) fields: Vec<Field>,
    pub(super) faults: Vec<Fault>,
    /// Whether somebody else was faster.
    pub(super) is_overtaken: bool,
}

impl Sheet {
    /// A form that nobody sent yet.
    pub(super) fn new(desk: &Desk, action: impl Into<String>, submit: impl Display, fields: Vec<Field>) -> Self {
        Self {
            action: action.into(),
            submit: submit.to_string(),
            once: desk.ids.uuid().to_string(),
            seen: None,
            fields,
            faults: Vec::new(),
            is_overtaken: false,
        }
    }

    /// A form about what is there in this version.
    pub(super) fn seen(self, version: Version) -> Self {
        Self { seen: Some(version), ..self }
    }

    /// The same form once more, with what is wrong. `inputs` says which input a field of the API is typed into, where that is another.
    pub(super) fn refused(mut self, error: &ApiError, inputs: &[(&str, &str)]) -> Self {
        for fault in error.fields() {
            // Without the field's name in front: the label says it, in the reader's language.
            let text = fault.description.split_once(": ").map_or(fault.description.as_str(), |(_, text)| text);
            let text = begun_large(text);
            let input = inputs.iter().find(|(of_api, _)| *of_api == fault.field);
            let input = input.map_or(fault.field.as_str(), |(_, input)| input);
            let found = self.fields.iter_mut().find(|field| field.key == input);
            let (id, label) = found.as_ref().map_or(("", String::new()), |field| (field.key, field.label.clone()));
            if let Some(field) = found {
                field.error = Some(text.clone());
            }
            self.faults.push(Fault { id, label, text });
        }
        if self.faults.is_empty() {
            self.faults.push(Fault { id: "", label: String::new(), text: error.sentence() });
        }
        self
    }

    /// The same form once more, of which somebody else was faster to change what it is about: `now` are the fields as they stand there.
    pub(super) fn overtaken(mut self, words: &Words, now: &[Field]) -> Self {
        for (field, now) in self.fields.iter_mut().zip(now) {
            let is_other = field.written(words) != now.written(words);
            field.now = is_other.then(|| now.written(words));
        }
        self.is_overtaken = true;
        self
    }
}

/// The version of what a form showed, if it says one.
pub(super) fn seen(form: &Form) -> Option<Version> {
    form.text("seen").parse().ok().map(Version::new)
}

/// Whether a refusal is one to mend in the form.
pub(super) fn is_mendable(error: &ApiError) -> bool {
    matches!(error.status(), StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT | StatusCode::FORBIDDEN)
}

/// The page of a form that was refused: nothing was written, so what it shows was read.
pub(super) fn again(page: ApiResult) -> ApiResult {
    Ok((Extension(WroteNothing), page?).into_response())
}

/// To the page that shows what was done, as soon as it can.
pub(super) async fn done(
    (desk, caller): (&Desk, &Caller),
    done: &Done,
    projections: &[&str],
    (path, word): (&str, &str),
) -> ApiResult {
    let written = settle::settled(desk, &caller.resident, done, projections).await;
    Ok((written, Redirect::to(&around::after(path, word))).into_response())
}

fn begun_large(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).collect()
}
