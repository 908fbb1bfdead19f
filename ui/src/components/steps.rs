//! The step indicator: seven steps with state and elapsed time, and the overall share (SPEC B3).

use crate::{
    components::bits,
    dom::{self, Interval},
    icons::Icon,
    state::{format, model},
};
use ghostlight_api::view::StepRow;
use ghostlight_model::{
    Micros, Step,
    event::ModelUse,
    run::{NodeStatus, RunStatus},
};
use yew::{Html, Properties, classes, component, html, use_effect_with, use_force_update};

/// While a step runs its time is drawn anew so often, in milliseconds.
const TICK_MS: i32 = 100;

/// Properties of [`Steps`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The steps, in order.
    pub steps: Vec<StepRow>,
    /// Where the run stands.
    pub status: Option<RunStatus>,
    /// Now, where that is a moment of the past.
    #[prop_or_default]
    pub as_of: Option<Micros>,
    /// The model that the run asked.
    #[prop_or_default]
    pub model: Option<ModelUse>,
    /// What stands at the end.
    #[prop_or_default]
    pub children: Html,
}

/// See the module.
#[component]
pub fn Steps(props: &Props) -> Html {
    let tick = use_force_update();
    let running = props.status == Some(RunStatus::Running) && props.as_of.is_none();
    let now = props.as_of.unwrap_or_else(dom::now);
    use_effect_with(running, move |running| {
        let interval = running.then(|| Interval::new(TICK_MS, move || tick.force_update()));
        move || drop(interval)
    });
    let ended = props.steps.iter().filter(|step| has_ended(step)).count();
    let all = props.steps.len().max(1);
    let percent = ended * 100 / all;
    let total_ms: f64 = props
        .steps
        .iter()
        .filter_map(|step| elapsed_ms(step, now))
        .sum();
    let words = match props.status {
        Some(RunStatus::Finished) => format!("Done in {}", format::elapsed(total_ms)),
        Some(RunStatus::Failed) => format!("Failed after {}", format::elapsed(total_ms)),
        // A card's run has an end.
        Some(RunStatus::Running | RunStatus::Open) => {
            format!("{percent} % · {}", format::elapsed(total_ms))
        }
        None => "Not run yet".into(),
    };
    html! {
        <div class="gl-steps">
            <ol class="gl-steps__list" aria-label="steps">{ for props.steps.iter().map(|step| view_step(step, now, props.model.as_ref())) }</ol>
            <span class="gl-steps__share gl-num" role="progressbar" aria-label="analysis" aria-valuemin="0" aria-valuemax="100" aria-valuenow={percent.to_string()} aria-valuetext={format!("{ended} of {all} steps")} title={format!("{ended} of {all} steps")}>{ words }</span>
            { props.children.clone() }
        </div>
    }
}

fn view_step(step: &StepRow, now: Micros, model: Option<&ModelUse>) -> Html {
    let (class, icon, word) = match step.status {
        NodeStatus::Waiting => ("is-waiting", None, "waiting"),
        NodeStatus::Running => ("is-running", Some(Icon::Dot), "running"),
        NodeStatus::Done => ("is-done", Some(Icon::Check), "done"),
        NodeStatus::Failed => ("is-failed", Some(Icon::Cross), "failed"),
    };
    let time = elapsed_ms(step, now).map(format::elapsed);
    let issues = step.issues.join(" ");
    let asked = model.filter(|_| Step::of_node(&step.node) == Some(Step::Enrich));
    let asked = asked.map_or_else(String::new, |usage| format!("{} ", model::use_words(usage)));
    let title = format!("{}: {word}. {asked}{issues}", explanation(&step.node));
    html! {
        <li key={step.node.clone()} class={classes!("gl-step", class, (!step.issues.is_empty()).then_some("has-issues"))} title={title.trim_end().to_owned()}>
            <span class="gl-step__mark">{ icon.map(Icon::draw).unwrap_or_default() }</span>
            <span class="gl-step__text">
                <span class="gl-step__name">{ name(&step.node) }</span>
                <span class="gl-step__time gl-num">{ time.unwrap_or_else(|| "–".into()) }</span>
            </span>
            { bits::unseen(word) }
        </li>
    }
}

fn has_ended(step: &StepRow) -> bool {
    matches!(step.status, NodeStatus::Done | NodeStatus::Failed)
}

/// How long the step took, or has been going on.
fn elapsed_ms(step: &StepRow, now: Micros) -> Option<f64> {
    let going = step.status == NodeStatus::Running;
    let since = step.started.filter(|_| going);
    step.duration_ms
        .or_else(|| since.map(|since| (now.0 - since.0).max(0) as f64 / 1000.0))
}

fn name(node: &str) -> String {
    let lower = node.to_lowercase();
    let mut letters = lower.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn explanation(node: &str) -> &'static str {
    match Step::of_node(node) {
        Some(Step::Fetch) => "Gets the page",
        Some(Step::Parse) => "Makes a document and its text",
        Some(Step::Extract) => "Reads the page's own data",
        Some(Step::Detect) => "Reads the text",
        Some(Step::Enrich) => "Asks the model, where one is set up",
        Some(Step::Validate) => "Applies the rules and chooses",
        Some(Step::Score) => "Finds signals and assesses",
        None => "A step",
    }
}
