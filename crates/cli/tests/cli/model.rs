//! `analyze` with a model from the environment, over a real socket; `--no-model`; what `doctor` says of it.

use crate::{
    model_server::{Act, ModelServer},
    program::{Done, Ghostlight, finish},
};
use serde_json::{Value, json};

const TEXT: &str = "Night Baker\nLocation: Cologne, Germany\nSalary: €42,000 to €48,000 per year.\n\
    You have seen ten winters at the oven. Responsibilities: bake bread. Requirements: a steady hand. Apply by email.";

fn run(ghostlight: &Ghostlight, server: Option<&ModelServer>, args: &[&str]) -> Done {
    let mut command = ghostlight.command(args);
    for name in ["URL", "NAME", "KEY"] {
        command.env_remove(format!("GHOSTLIGHT_MODEL_{name}"));
    }
    if let Some(server) = server {
        command
            .env("GHOSTLIGHT_MODEL_URL", server.url())
            .env("GHOSTLIGHT_MODEL_NAME", "small-1")
            .env("GHOSTLIGHT_MODEL_KEY", "sk-env");
    }
    finish(command, |stdin| {
        std::io::Write::write_all(stdin, TEXT.as_bytes())
    })
}

fn analyze(ghostlight: &Ghostlight, server: Option<&ModelServer>, more: &[&str]) -> (Done, Value) {
    let args = [&["analyze", "-", "--json"], more].concat();
    let done = run(ghostlight, server, &args);
    assert_eq!(done.code, 0, "{done:?}");
    let object = done.objects().remove(0);
    (done, object)
}

fn step(object: &Value) -> &str {
    let steps = object["steps"].as_array().unwrap();
    let enrich = steps.iter().find(|step| step["node"] == "ENRICH").unwrap();
    enrich["phase"].as_str().unwrap()
}

#[test]
fn a_model_from_the_environment_fills_a_gap_and_no_model_means_none() {
    let server = ModelServer::saying(json!({
        "seniority": { "value": "senior", "quote": "ten winters at the oven" },
    }));
    let ghostlight = Ghostlight::new();
    let (_, object) = analyze(&ghostlight, Some(&server), &["--no-model"]);
    assert_eq!(server.asked().len(), 0);
    assert_eq!(object["fields"]["seniority"]["value"], Value::Null);
    let (_, object) = analyze(&ghostlight, Some(&server), &[]);
    let level = &object["fields"]["seniority"];
    assert_eq!(
        (&level["value"], &level["source"], &level["method"]),
        (&json!("senior"), &json!("ai"), &json!("model"))
    );
    assert_eq!(level["evidence"]["quote"], "ten winters at the oven");
    assert!(server.asked()[0].0.contains("bearer sk-env"));
    let (done, _) = analyze(&ghostlight, None, &[]);
    assert!(
        !done.err.contains("ENRICH"),
        "no model is no trouble: {done:?}"
    );
    assert_eq!(server.asked().len(), 1);

    let doctor = |server| {
        run(&ghostlight, server, &["doctor", "--json"])
            .objects()
            .remove(0)["model"]
            .clone()
    };
    assert_eq!(doctor(Some(&server)), "small-1 at 127.0.0.1");
    assert_eq!(doctor(None), "no model is configured");
}

#[test]
fn a_model_that_refuses_is_said_on_standard_error_and_the_card_is_printed() {
    let server = ModelServer::start(|_, _| Act::Refuses("401 Unauthorized", "wrong key"));
    let ghostlight = Ghostlight::new();
    let (done, object) = analyze(&ghostlight, Some(&server), &[]);
    assert_eq!(step(&object), "fail");
    assert!(
        done.err.contains("refuses the key (401): “wrong key”"),
        "{done:?}"
    );
    assert!(done.err.contains("GHOSTLIGHT_MODEL_KEY"), "{done:?}");
    assert!(!done.err.contains("sk-env") && !done.out.contains("sk-env"));
    assert_eq!(object["fields"]["title"]["value"], "Night Baker");
}
