//! The pages: rendered on the server, whole without script, with one style sheet and a small script for what is live.
//!
//! Reading order: `frame` surrounds each page, `words` are what it says, `assets` what it loads.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod agent;
pub(crate) mod assets;
pub(crate) mod cookies;
pub(crate) mod frame;
pub(crate) mod help;
pub(crate) mod landing;
pub(crate) mod language;
pub(crate) mod places;
pub(crate) mod region;
pub(crate) mod residency;
pub(crate) mod sign_in;
pub(crate) mod tenant;
pub(crate) mod trust;
pub(crate) mod words;

use askama::Template;

use self::{frame::Frame, words::Sentence};

/// A field of a form, as it was typed.
pub(crate) struct Input {
    /// What was typed.
    pub(crate) value: String,
    /// What is wrong with it.
    pub(crate) error: Option<String>,
}

/// An option of a list.
pub(crate) struct Choice {
    /// The word.
    pub(crate) value: &'static str,
    /// Whether it was chosen.
    pub(crate) is_chosen: bool,
}

/// The signup form of a region.
#[derive(Template)]
#[template(path = "signup.html")]
pub(crate) struct SignupPage<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) region: String,
    pub(crate) region_name: String,
    pub(crate) jurisdiction: String,
    /// What follows the subdomain in the tenant's address: `.localhost:8080`.
    pub(crate) address_end: String,
    /// Whether every plan may sign up here.
    pub(crate) has_every_plan: bool,
    pub(crate) default_signup: String,
    pub(crate) apex: String,
    pub(crate) plans: Vec<Choice>,
    pub(crate) plan_error: Option<String>,
    pub(crate) subdomain: Input,
    /// Where to sign in at the desk that has the name already.
    pub(crate) taken_desk: Option<String>,
    pub(crate) company: Input,
    pub(crate) name: Input,
    pub(crate) email: Input,
    pub(crate) password: Input,
}

impl SignupPage<'_> {
    /// The wrong fields with their ids and labels on the page, for the list at the top.
    pub(crate) fn errors(&self) -> Vec<(&'static str, Sentence<'static>, &str)> {
        let words = &self.frame.words;
        let fields = [
            ("subdomain", words.say("signup-subdomain"), &self.subdomain.error),
            ("company", words.say("signup-company"), &self.company.error),
            ("plan", words.say("signup-plan"), &self.plan_error),
            ("name", words.say("signup-name"), &self.name.error),
            ("email", words.say("signup-email"), &self.email.error),
            ("password", words.say("signup-password"), &self.password.error),
        ];
        fields.into_iter().filter_map(|(id, label, error)| Some((id, label, error.as_deref()?))).collect()
    }
}

/// What a new tenant is told, once.
#[derive(Template)]
#[template(path = "welcome.html")]
pub(crate) struct WelcomePage<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) url: String,
    pub(crate) region: String,
    /// The ticket to play with, if there is one.
    pub(crate) ticket: Option<String>,
    pub(crate) api_token: &'a str,
    /// `<email>/token:<api token>` as one word of a shell.
    pub(crate) curl_user: String,
    /// Whether the desk needs another moment before it answers.
    pub(crate) is_pending: bool,
}

/// Any refusal, for people.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) detail: String,
    /// Where to go instead, if we know.
    pub(crate) url: Option<&'a str>,
    /// What to tell us, when it is our fault.
    pub(crate) request_id: Option<&'a str>,
}

/// A text as one word of a POSIX shell: an address may hold a quote, and people paste what a page shows them.
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
