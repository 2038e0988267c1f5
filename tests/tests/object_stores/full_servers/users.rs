//! The roles as users of the server, with keys and policies of their own: by versitygw's own identity service.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, process::Command};

use anyhow::Context;
use regions::{BucketRole, Region, S3Endpoint, auditor_policy};
use serde_json::Value;
use system_tests::command;

use super::{KEY, SECRET, Server};

/// A user's key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
}

/// The identity service.
pub(super) struct Users(SocketAddr);

impl Users {
    /// Starts it and, knowing people from it, the server.
    pub(super) async fn start(program: &Path) -> anyhow::Result<(Server, Self)> {
        let mut server = Server::new()?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (users, socket) = (server.below("users"), server.below("asked"));
        server.run(program, address, &["iam", "--dir", &users, "--quiet", "--private-ports", &socket]).await?;
        server.gateway(program, ["--iam-standalone-endpoint", &socket]).await?;
        Ok((server, Self(address)))
    }

    /// One call, in the protocol of AWS IAM, signed as it wants it.
    async fn call(&self, parameters: &[(&str, &str)]) -> anyhow::Result<String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--aws-sigv4", "aws:amz:us-east-1:iam"]);
        curl.args(["--user", &format!("{KEY}:{SECRET}"), &format!("http://{}/", self.0)]);
        for (name, value) in [&[("Version", "2010-05-08")][..], parameters].concat() {
            curl.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let answer = command::finish(curl).await?.expect(0)?.stdout;
        anyhow::ensure!(!answer.contains("<Error>"), "{parameters:?}: {answer}");
        Ok(answer)
    }

    /// A user with a key, and with a tag where there is one.
    pub(super) async fn make(&self, name: &str, tag: Option<(&str, &str)>) -> anyhow::Result<Key> {
        self.call(&[("Action", "CreateUser"), ("UserName", name)]).await?;
        if let Some((tag, value)) = tag {
            let tagged = [("Tags.member.1.Key", tag), ("Tags.member.1.Value", value)];
            self.call(&[&[("Action", "TagUser"), ("UserName", name)][..], &tagged].concat()).await?;
        }
        let made = self.call(&[("Action", "CreateAccessKey"), ("UserName", name)]).await?;
        let text = |element: &str| {
            let after = made.split_once(&format!("<{element}>")).map(|(_, after)| after);
            let text = after.and_then(|after| after.split_once('<')).map(|(text, _)| text.to_owned());
            text.with_context(|| format!("no {element} in {made}"))
        };
        Ok(Key { id: text("AccessKeyId")?, secret: text("SecretAccessKey")? })
    }

    /// Gives a user a policy, in the place of the one it had.
    pub(super) async fn allow(&self, name: &str, document: &Value) -> anyhow::Result<()> {
        let document = document.to_string();
        let put = [("Action", "PutUserPolicy"), ("PolicyName", "role"), ("PolicyDocument", document.as_str())];
        self.call(&[&put[..], &[("UserName", name)]].concat()).await.map(drop)
    }

    /// Every role as a user; their policies as far as the server knows them.
    pub(super) async fn roles(&self, region: &Region) -> anyhow::Result<BTreeMap<BucketRole, Key>> {
        let mut keys = BTreeMap::new();
        for role in BucketRole::ALL {
            keys.insert(role, self.make(role.as_str(), None).await?);
            self.allow(role.as_str(), &known_to_the_server(&role.policy(region))?).await?;
        }
        Ok(keys)
    }

    /// The server, which each role enters with the key of a user of its own.
    pub(super) async fn endpoint(&self, server: &Server, region: &Region) -> anyhow::Result<S3Endpoint> {
        let keys = self.roles(region).await?.into_iter();
        Ok(keys.fold(server.endpoint(), |endpoint, (role, key)| endpoint.with_key(role, key.id, &key.secret)))
    }

    /// An auditor of a tenant, by a policy that names the tenant: the server knows no `${aws:PrincipalTag/tenant}`, a variable with a
    /// slash in its name. [`super::roles`] shows it.
    pub(super) async fn auditor(&self, tenant: &str, region: &Region) -> anyhow::Result<Key> {
        let name = format!("auditor-{tenant}");
        let key = self.make(&name, Some(("tenant", tenant))).await?;
        let policy = auditor_policy(region).replace("${aws:PrincipalTag/tenant}", tenant);
        self.allow(&name, &known_to_the_server(&policy)?).await?;
        Ok(key)
    }
}

/// A policy without the statements that hang on what a write asks for. The server is not told of that by its front, so it refuses every
/// write under such a statement: [`super::roles`] shows it.
fn known_to_the_server(policy: &str) -> anyhow::Result<Value> {
    let mut policy: Value = serde_json::from_str(policy)?;
    let statements = policy["Statement"].as_array_mut().context("a policy has statements")?;
    statements.retain(|statement| !statement["Condition"].to_string().contains("s3:if-") && !is_of_lock(statement));
    Ok(policy)
}

fn is_of_lock(statement: &Value) -> bool {
    statement["Condition"].to_string().contains("s3:object-lock-")
}
