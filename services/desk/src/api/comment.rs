//! What a client may say in a comment, for every operation that takes one.

use domain::{
    text::{self, Invalid},
    ticket::Comment,
};
use schemas::{PersonId, values::Visibility};

use super::{
    claim,
    html::{self, Cleaned},
    who,
};
use crate::{body::Fields, caller::Caller, execute::Issuer, problem::ApiError, state::Desk};

/// A comment as a client sent it.
pub(crate) struct CommentRequest {
    body: String,
    html_body: Option<String>,
    visibility: Option<Visibility>,
    author: Option<PersonId>,
    uploads: Vec<String>,
}

impl CommentRequest {
    /// Reads `body` (or `value`, as imports call it) or `html_body`, `public` (as the ticket is, unless said otherwise), `author_id` and `uploads`. What is wrong is noted
    /// in `fields`; nothing is given when there is no text to say.
    pub(crate) async fn read(desk: &Desk, fields: &mut Fields<'_>) -> Result<Option<Self>, ApiError> {
        let said = match fields.string("html_body").filter(|html| !html.trim().is_empty()) {
            Some(html) => read_html(desk, fields, html).await?,
            // Faulty HTML does not make a text required that nobody meant to send.
            None if fields.value("html_body").is_some_and(|sent| !sent.is_string()) => None,
            None if fields.value("body").is_none() && fields.has("value") => {
                fields.required("value", |sent| takes(text::body(sent))).map(|body| (body, None))
            }
            None => fields.required("body", |sent| takes(text::body(sent))).map(|body| (body, None)),
        };
        let is_public = fields.boolean("public");
        let author = fields.integer("author_id").map(PersonId::new);
        let uploads = fields.strings("uploads").unwrap_or_default().into_iter().map(str::to_owned).collect();
        let visibility = is_public.map(|is_public| if is_public { Visibility::Public } else { Visibility::Internal });
        Ok(said.map(|(body, html_body)| Self { body, html_body, visibility, author, uploads }))
    }

    /// A public comment of plain text.
    pub(crate) fn plain(body: String) -> Self {
        Self { body, html_body: None, visibility: Some(Visibility::Public), author: None, uploads: Vec::new() }
    }

    /// The text, for a subject nobody wrote.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    /// Who wrote it, when the client named somebody.
    pub(crate) fn with_author_or(mut self, author: Option<PersonId>) -> Self {
        self.author = self.author.or(author);
        self
    }

    /// Finds the author and claims the files: the comment as the rules take it.
    pub(crate) async fn resolve(self, desk: &Desk, caller: &Caller, by: &Issuer) -> Result<Comment, ApiError> {
        let author = match self.author.filter(|author| *author != caller.person) {
            None => None,
            Some(author) if caller.is_agent() => {
                let found = who::by_id(desk, &caller.resident, author).await?;
                Some(found.ok_or_else(|| unknown_user("comment.author_id"))?)
            }
            Some(_) => return Err(ApiError::forbidden("comment.author_id: only agents may set this")),
        };
        let attachments = claim::files(desk, caller, &self.uploads, by.at).await?;
        let visibility = self.visibility;
        Ok(Comment { author, visibility, body: self.body.into(), html_body: self.html_body.into(), attachments })
    }
}

/// The text of HTML, and the HTML cleaned.
async fn read_html(
    desk: &Desk,
    fields: &mut Fields<'_>,
    html: &str,
) -> Result<Option<(String, Option<String>)>, ApiError> {
    let said = html::clean(desk, html).await?.and_then(|Cleaned { html, text }| match text::body(&text) {
        Ok(body) => Ok((body, Some(html))),
        Err(_) => Err("takes HTML with some text, without control characters".to_owned()),
    });
    Ok(said.map_err(|takes| fields.fault("html_body", takes, "InvalidValue")).ok())
}

/// What a text takes, without the field's name: it is the comment's in one API and the body's own in the other.
pub(crate) fn takes<T>(checked: Result<T, Invalid>) -> Result<T, String> {
    checked.map_err(|invalid| format!("takes {}", invalid.takes))
}

/// The refusal of an id that names nobody.
pub(crate) fn unknown_user(field: &str) -> ApiError {
    ApiError::invalid(field, format!("{field}: takes the id of a user"), "InvalidValue")
}
