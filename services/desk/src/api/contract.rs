//! Holds answers of `/api/v2` against the contract that its clients rely on: `tests/contract` says what it is and where it comes from.

mod schema;

use std::{collections::BTreeMap, sync::LazyLock};

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use self::schema::Schemas;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::load().expect("the files of tests/contract"));

/// Paths with the schemas of their answers, and what they refer to.
struct Contract {
    /// Path, then method, then status; a schema, or null for an answer without a body.
    paths: BTreeMap<String, Value>,
    schemas: Schemas,
    /// Status, and the names of the shapes a refusal with it has.
    refusals: Value,
    around_lists: Value,
}

/// What an answer breaks; nothing, if it is as clients expect.
pub(crate) fn faults(method: &Method, path: &str, status: StatusCode, body: &[u8]) -> Vec<String> {
    CONTRACT.faults(method, path.strip_suffix(".json").unwrap_or(path), status, body)
}

impl Contract {
    fn load() -> anyhow::Result<Self> {
        let read = |name: &str| -> anyhow::Result<Value> {
            let path = testkit::repository().join("tests/contract").join(name);
            Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
        };
        Ok(Self::of(read("facts.json")?, &read("deviations.json")?))
    }

    fn of(mut facts: Value, deviations: &Value) -> Self {
        for answer in deviations["answers"].as_array().into_iter().flatten() {
            let place = |name: &str| answer[name].as_str().expect("a name");
            facts["paths"][place("path")][place("method")][place("status")] = answer["schema"].clone();
        }
        for path in deviations["ours"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            facts["paths"][path] = Value::Null;
        }
        let paths = facts["paths"].as_object().expect("paths").clone().into_iter().collect();
        let schemas = Schemas::of(&facts["$defs"], &deviations["defs"]);
        let around_lists = deviations["around_lists"]["properties"].clone();
        Self { paths, schemas, refusals: deviations["refusals"].clone(), around_lists }
    }

    fn faults(&self, method: &Method, path: &str, status: StatusCode, body: &[u8]) -> Vec<String> {
        if status == StatusCode::NOT_MODIFIED || *method == Method::HEAD {
            return Vec::new();
        }
        if status.is_client_error() || status.is_server_error() {
            return self.faults_of_refusal(status, body);
        }
        let Some(operations) = self.operations(path) else { return vec![format!("the contract has no path {path}")] };
        if operations.is_null() {
            return Vec::new();
        }
        let answers = &operations[method.as_str().to_lowercase()];
        match answers.get(status.as_str()) {
            None => vec![format!("it answers {method} {path} with {answers}")],
            Some(Value::Null) if body.is_empty() => Vec::new(),
            Some(Value::Null) => vec!["a body where there is none".to_owned()],
            Some(schema) => self.faults_of_body(schema, body),
        }
    }

    /// The operations of a path: a part that is written out goes before one that stands for an id.
    fn operations(&self, path: &str) -> Option<&Value> {
        let holes = |known: &str| {
            let same = |(known, part): (&str, &str)| known == part || (known.starts_with('{') && !part.is_empty());
            let is_same =
                known.split('/').count() == path.split('/').count() && known.split('/').zip(path.split('/')).all(same);
            is_same.then(|| known.matches('{').count())
        };
        let known = self.paths.iter().filter_map(|(known, operations)| Some((holes(known)?, operations)));
        known.min_by_key(|(holes, _)| *holes).map(|(_, operations)| operations)
    }

    fn faults_of_body(&self, schema: &Value, body: &[u8]) -> Vec<String> {
        match serde_json::from_slice(body) {
            Ok(body) => self.schemas.faults(&self.with_pages(schema), &body),
            Err(error) => vec![format!("no JSON: {error}")],
        }
    }

    /// A list's answer may have what stands around lists.
    fn with_pages(&self, schema: &Value) -> Value {
        let is_list = |property: &Value| property["type"] == "array";
        let own = self.schemas.properties(schema).unwrap_or_default();
        if !own.values().any(is_list) {
            return schema.clone();
        }
        let around: Map<String, Value> = self
            .around_lists
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !own.contains_key(*name))
            .map(|(name, of)| (name.clone(), of.clone()))
            .collect();
        json!({"allOf": [schema, {"type": "object", "properties": around}]})
    }

    fn faults_of_refusal(&self, status: StatusCode, body: &[u8]) -> Vec<String> {
        let Some(shapes) = self.refusals[status.as_str()].as_array() else {
            return vec![format!("the contract has no refusal {status}")];
        };
        let shapes: Vec<Value> =
            shapes.iter().filter_map(Value::as_str).map(|name| json!({"$ref": format!("#/$defs/{name}")})).collect();
        self.faults_of_body(&json!({ "anyOf": shapes }), body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_group() -> Value {
        json!({"group": {
            "id": 1, "url": "https://acme.example/api/v2/groups/1.json", "name": "Support", "description": "", "is_public": true,
            "default": false, "deleted": false, "created_at": "2026-11-23T06:00:00Z", "updated_at": "2026-11-23T06:00:00Z",
        }})
    }

    fn found(body: &Value) -> Vec<String> {
        faults(&Method::GET, "/api/v2/groups/1.json", StatusCode::OK, body.to_string().as_bytes())
    }

    #[test]
    fn an_answer_as_recorded_breaks_nothing() {
        assert_eq!(found(&a_group()), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_a_missing_and_an_invented_attribute_are_found() {
        for (name, wrong) in
            [("id", json!("1")), ("name", json!(null)), ("created_at", json!("yesterday")), ("colour", json!("red"))]
        {
            let mut group = a_group();
            group["group"][name] = wrong;
            let found = found(&group);
            assert!(found.len() == 1 && found[0].contains(name), "{name}: {found:?}");
        }
        let mut group = a_group();
        group["group"].as_object_mut().expect("an object").remove("is_public");
        assert!(found(&group).iter().any(|fault| fault.contains("is_public")));
    }

    #[test]
    fn a_status_a_path_and_a_refusal_of_its_own_are_found() {
        let of = |method: Method, path: &str, status: u16, body: &str| {
            !faults(&method, path, StatusCode::from_u16(status).expect("a status"), body.as_bytes()).is_empty()
        };
        assert!(of(Method::POST, "/api/v2/groups", 200, &a_group().to_string()));
        assert!(of(Method::GET, "/api/v2/secrets", 200, "{}"));
        assert!(of(Method::DELETE, "/api/v2/groups/1", 204, "{}"));
        assert!(!of(Method::GET, "/api/v2/groups/1", 404, r#"{"error":"RecordNotFound","description":"Not found"}"#));
        assert!(of(Method::GET, "/api/v2/groups/1", 404, r#"{"message":"Not found"}"#));
        assert!(of(Method::GET, "/api/v2/groups/1", 418, "{}"));
    }
}
