//! A run as the monitor shows it (SPEC D2): how it stands, its steps, and beside them scores, issues, artifacts and
//! what is stored of its stream.

use crate::{
    components::{bits, compared::Compared, event_log::EventLog, tabs::Tabs},
    dom::{self, Interval},
    icons::Icon,
    shell::{Ask, Dialog, Shell, use_shell},
    state::{
        format,
        monitor::{self, Sign, Tone},
        views::ViewState,
    },
    views::use_view,
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{ArtifactRow, IssueRow, NodeRow, RunView, ScoreRow, Subject},
};
use ghostlight_model::{
    RunId, Severity,
    run::{NodeStatus, RunStatus},
};
use std::rc::Rc;
use yew::{
    AttrValue, Callback, Html, Properties, classes, component, hook, html, use_effect_with,
    use_force_update, use_memo, use_state_eq,
};

/// How often the times of a run under way are drawn anew, in milliseconds.
const TICK_MS: i32 = 500;

/// Draws again and again while something is under way.
#[hook]
pub fn use_ticking(on: bool) {
    let tick = use_force_update();
    use_effect_with(on, move |on| {
        let interval = on.then(|| Interval::new(TICK_MS, move || tick.force_update()));
        move || drop(interval)
    });
}

/// The colour of a tone.
pub fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "gl-ok",
        Tone::Plain => "gl-dim",
        Tone::Busy => "gl-accent",
        Tone::Warn => "gl-warn",
        Tone::Bad => "gl-bad",
    }
}

/// The icon of a tone.
pub fn tone_icon(tone: Tone) -> Icon {
    match tone {
        Tone::Good => Icon::Check,
        Tone::Plain => Icon::Circle,
        Tone::Busy => Icon::Dot,
        Tone::Warn => Icon::Half,
        Tone::Bad => Icon::Cross,
    }
}

/// Icon and words in the colour of their tone.
pub fn view_sign(sign: &Sign) -> Html {
    html! {
        <span class={classes!("gl-sign", tone_class(sign.tone))} title={sign.title.clone()}>{ tone_icon(sign.tone).draw() }{ &sign.words }</span>
    }
}

/// Properties of [`RunPane`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Which run.
    pub run: RunId,
    /// Whether it stays on screen when another is chosen.
    pub pinned: bool,
    /// Called to pin it, or to let it go.
    pub on_pin: Callback<RunId>,
    /// The run to compare with, if another is pinned.
    #[prop_or_default]
    pub compared: Option<RunId>,
    /// Whether there is room for what stands beside.
    pub wide: bool,
}

/// See the module.
#[component]
pub fn RunPane(props: &Props) -> Html {
    let query = ViewQuery::Run(props.run.clone());
    let state = use_view(Some(query.clone()));
    let run = use_memo(state.clone(), run_of);
    let others = use_view(props.compared.clone().map(ViewQuery::Run));
    let other = use_memo(others, run_of);
    let going_on = run
        .as_ref()
        .as_ref()
        .is_some_and(|run| run.row.line.ended.is_none());
    use_ticking(going_on);
    let tab = use_state_eq(|| 0usize);
    let Some(run) = &*run else {
        let loading = || html! { <div class="gl-pad">{ bits::skeleton(40) }</div> };
        return html! { <section class="gl-runpane" aria-label="run">{ bits::render_view(&query, &state, loading, |_| Html::default()) }</section> };
    };
    let on_tab = {
        let tab = tab.clone();
        Callback::from(move |to| tab.set(to))
    };
    html! {
        <section class={classes!("gl-runpane", props.wide.then_some("is-wide"))} aria-label={format!("run {}", run.row.line.name)}>
            <div class="gl-runpane__main">
                <Head run={run.clone()} pinned={props.pinned} on_pin={props.on_pin.clone()} />
                <Nodes run={run.clone()} />
                <div class="gl-drawer__bar">
                    <Tabs id={tabs_id(&props.run)} label="parts of the run" tabs={tabs(run, other.as_ref().is_some())} active={*tab} on_change={on_tab} />
                </div>
                <div class="gl-runpane__panel" role="tabpanel" id={format!("{}-panel", tabs_id(&props.run))} aria-labelledby={format!("{}-tab-{}", tabs_id(&props.run), *tab)}>
                    { view_panel(*tab, run, other.as_ref().as_ref()) }
                </div>
            </div>
            if props.wide { <Aside run={run.clone()} /> }
        </section>
    }
}

/// Several runs are side by side; their ids must differ.
fn tabs_id(run: &RunId) -> AttrValue {
    let safe = run
        .0
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    AttrValue::from(format!("run-{}", safe.collect::<String>()))
}

fn tabs(run: &RunView, compares: bool) -> Vec<AttrValue> {
    let counted = |name: &str, n: usize| match n {
        0 => name.to_owned(),
        n => format!("{name} {n}"),
    };
    let mut tabs = vec![
        "Event log".to_owned(),
        counted("Artifacts", run.artifacts.len()),
        counted("Scores", run.scores.len()),
        counted("Issues", run.row.line.issues as usize),
        "Stream".to_owned(),
    ];
    if compares {
        tabs.push("Compare".to_owned());
    }
    tabs.into_iter().map(AttrValue::from).collect()
}

fn view_panel(tab: usize, run: &Rc<RunView>, other: Option<&Rc<RunView>>) -> Html {
    let id = &run.row.line.run_id;
    match (tab, other) {
        (1, _) => view_artifacts(run),
        (2, _) => html! { <div class="gl-runpane__scroll">{ view_scores(&run.scores) }</div> },
        (3, _) => html! { <div class="gl-runpane__scroll">{ view_issues(run) }</div> },
        (4, _) => view_stream(run),
        (5, Some(other)) => html! { <Compared run={run.clone()} other={other.clone()} /> },
        _ => {
            let nodes: Vec<AttrValue> = run
                .nodes
                .iter()
                .map(|n| AttrValue::from(n.node.clone()))
                .collect();
            let phases: Vec<AttrValue> = run.phases.iter().cloned().map(AttrValue::from).collect();
            let log = format!("{}-log", tabs_id(id));
            html! { <EventLog key={id.0.clone()} id={log} subject={Subject::Run(id.clone())} name={run.row.line.name.clone()} {nodes} {phases} more_phases={run.more_phases} started={run.row.line.started} /> }
        }
    }
}

fn run_of(state: &ViewState) -> Option<Rc<RunView>> {
    match state {
        ViewState::Ready(data) => match &**data {
            ViewData::Run(run) => Some(Rc::new((**run).clone())),
            _ => None,
        },
        _ => None,
    }
}

#[derive(Properties, PartialEq)]
struct HeadProps {
    run: Rc<RunView>,
    pinned: bool,
    on_pin: Callback<RunId>,
}

#[component]
fn Head(props: &HeadProps) -> Html {
    let shell = use_shell();
    use_ticking(props.run.row.line.ended.is_none());
    let run = &props.run;
    let line = &run.row.line;
    let now = dom::now();
    let lasted = format::elapsed(line.ended.unwrap_or(now).ms_since(line.started));
    let spent = match line.status {
        RunStatus::Running | RunStatus::Open => format!("for {lasted}"),
        RunStatus::Finished | RunStatus::Failed => format!("took {lasted}"),
    };
    let sign = monitor::run_sign(&run.row, now);
    let spoken = monitor::spoken(&sign);
    let extent = monitor::extent_sign(run);
    let id = line.run_id.clone();
    let on_pin = props.on_pin.reform(move |_| id.clone());
    let pin = if props.pinned { "Let go" } else { "Pin" };
    html! {
        <header class="gl-runhead">
            <div class="gl-runhead__line">
                <h1 class="gl-cut" title={line.name.clone()}>{ &line.name }</h1>
                if let Some(title) = &run.row.title { <span class="gl-dim gl-cut">{ title }</span> }
                <span class="gl-fill"></span>
                if line.posting.is_some() {
                    <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" onclick={shell.asks(Ask::Select(Subject::Run(line.run_id.clone())))}>{ "Open the card" }</button>
                }
                <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small" aria-pressed={props.pinned.to_string()} title="Keep this run on screen beside the next one" onclick={on_pin}>{ Icon::Pin.draw() }{ pin }</button>
            </div>
            <p class="gl-runhead__sub">
                <span role="group" aria-label="state of the run">{ view_sign(&sign) }</span>
                // What is read out does not count.
                <span class="gl-unseen" role="status">{ spoken }</span>
                <span title={format::date_time(line.started, shell.zone())}>{ format!("{} · began {} · {spent}", run.row.source, format::clock_short(line.started, shell.zone())) }</span>
                <span aria-label="completeness" role="group">{ view_sign(&extent) }</span>
            </p>
            if let Some(failure) = &line.failure {
                <div class="gl-banner is-bad" role="note">{ Icon::Cross.draw() }<div><p>{ &failure.issue.message }</p>if let Some(hint) = &failure.issue.hint { <p class="gl-dim">{ hint }</p> }</div></div>
            }
        </header>
    }
}

#[derive(Properties, PartialEq)]
struct NodesProps {
    run: Rc<RunView>,
}

/// The steps in order of first appearance.
#[component]
fn Nodes(props: &NodesProps) -> Html {
    let run = &props.run;
    use_ticking(run.row.line.ended.is_none());
    if run.nodes.is_empty() {
        return html! { <p class="gl-hint">{ "No step has begun yet." }</p> };
    }
    html! {
        <ol class="gl-nodes" tabindex="0" aria-label="steps of the run">
            { for run.nodes.iter().map(|node| view_node(node, &run.scores)) }
            if run.left_out > 0 {
                <li class="gl-dim gl-small">{ format!("{} more in the log", format::count(run.left_out)) }</li>
            }
        </ol>
    }
}

/// Scores that a step shows; the others are in the list beside.
const NODE_SCORES_MAX: usize = 2;

fn view_node(node: &NodeRow, scores: &[ScoreRow]) -> Html {
    let since = dom::now().ms_since(node.started);
    let took = node.duration_ms.map(format::elapsed);
    let (class, icon, words) = match node.status {
        NodeStatus::Waiting => ("is-waiting", Icon::Circle, "waiting".to_owned()),
        NodeStatus::Running => (
            "is-running",
            Icon::Dot,
            format!("running {}", format::elapsed(since)),
        ),
        NodeStatus::Done => (
            "is-done",
            Icon::Check,
            took.unwrap_or_else(|| "done".into()),
        ),
        NodeStatus::Failed => (
            "is-failed",
            Icon::Cross,
            took.map_or("failed".into(), |took| format!("failed {took}")),
        ),
    };
    let mut notes = Vec::new();
    if node.attempts > 1 {
        notes.push(format!("attempt {}", node.attempts));
    }
    if node.issues > 0 {
        notes.push(format::plural(node.issues, "issue", "issues"));
    }
    if !node.missing.is_empty() {
        notes.push(format!("{} missing", node.missing.join(", ")));
    }
    let notes = notes.join(" · ");
    let scores: Vec<String> = scores
        .iter()
        .filter(|score| score.node == node.node)
        .map(|score| format!("{} {:.3}", score.name, score.value))
        .collect();
    let shown = scores[..scores.len().min(NODE_SCORES_MAX)].join(" · ");
    let more = scores.len().saturating_sub(NODE_SCORES_MAX);
    let title = [
        format!("{}: {words}", node.node),
        scores.join(", "),
        notes.clone(),
    ];
    let title: Vec<String> = title.into_iter().filter(|text| !text.is_empty()).collect();
    html! {
        <li key={node.node.clone()} class={classes!("gl-node", class)} title={title.join(". ")}>
            <span class="gl-node__name gl-cut">{ &node.node }</span>
            <span class="gl-node__state gl-num">{ icon.draw() }{ words }</span>
            if !shown.is_empty() { <span class="gl-node__notes gl-node__scores gl-cut gl-num">{ shown }if more > 0 { { format!(" +{more}") } }</span> }
            if !notes.is_empty() { <span class="gl-node__notes gl-cut gl-warn">{ notes }</span> }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct AsideProps {
    run: Rc<RunView>,
}

/// Scores, issues, and the source's connection.
#[component]
fn Aside(props: &AsideProps) -> Html {
    let shell = use_shell();
    let run = &props.run;
    use_ticking(
        run.link
            .as_ref()
            .is_some_and(|link| link.next_try.is_some()),
    );
    let connection = run.feed.map(|feed| {
        html! { <button type="button" class="gl-link" onclick={shell.asks(Ask::Open(Dialog::Connections(Some(feed))))}>{ "Connection in detail" }</button> }
    });
    html! {
        <aside class="gl-runpane__aside" aria-label="scores and issues">
            <h2 class="gl-head">{ "Scores" }</h2>
            { view_scores(&run.scores) }
            <h2 class="gl-head">{ "Issues" }<span class="gl-dim gl-num">{ format::count(run.row.line.issues) }</span></h2>
            { view_issues(run) }
            <h2 class="gl-head">{ "Source" }</h2>
            <p>{ &run.row.source }{ " " }{ run.link.as_ref().map(|link| view_sign(&monitor::link_sign(link, dom::now()))).unwrap_or_default() }</p>
            <p class="gl-dim">{ monitor::extent_sign(run).title }</p>
            { connection }
        </aside>
    }
}

fn view_scores(scores: &[ScoreRow]) -> Html {
    if scores.is_empty() {
        return html! { <p class="gl-hint">{ "No step has reported a score." }</p> };
    }
    let line = |score: &ScoreRow| {
        let (icon, words) = match score.before {
            Some(before) if score.value > before => (Some(Icon::Up), format!("up from {before}")),
            Some(before) if score.value < before => {
                (Some(Icon::Down), format!("down from {before}"))
            }
            _ => (None, String::new()),
        };
        html! {
            <div key={score.name.clone()} class="gl-score" title={format!("{} {words}", score.node)}>
                <dt class="gl-cut">{ &score.name }</dt>
                <dd class="gl-num">{ format!("{:.3}", score.value) }{ icon.map(Icon::draw).unwrap_or_default() }{ bits::unseen(&words) }</dd>
            </div>
        }
    };
    html! { <dl class="gl-scores" aria-label="scores">{ for scores.iter().map(line) }</dl> }
}

fn view_issues(run: &RunView) -> Html {
    if run.issues.is_empty() {
        return html! { <p class="gl-hint">{ "None." }</p> };
    }
    let line = |(n, row): (usize, &IssueRow)| {
        let (icon, tone) = match row.issue.severity {
            Severity::Error => (Icon::Cross, "gl-bad"),
            Severity::Warning => (Icon::Warning, "gl-warn"),
            Severity::Info => (Icon::Info, "gl-dim"),
        };
        html! {
            <li key={n} class="gl-issue">
                <span class={tone}>{ icon.draw() }</span>
                <div><p>{ &row.issue.message }</p><p class="gl-small gl-dim">{ &row.node }{ row.issue.hint.as_ref().map(|hint| format!(" · {hint}")).unwrap_or_default() }</p></div>
            </li>
        }
    };
    let more = run.row.line.issues.saturating_sub(run.issues.len() as u64);
    html! {
        <ul aria-label="issues">
            { for run.issues.iter().enumerate().map(line) }
            if more > 0 { <li class="gl-dim gl-small">{ format!("{} more in the log", format::count(more)) }</li> }
        </ul>
    }
}

fn view_artifacts(run: &RunView) -> Html {
    let missing: Vec<(&str, &String)> = run
        .nodes
        .iter()
        .flat_map(|node| node.missing.iter().map(|name| (node.node.as_str(), name)))
        .collect();
    if run.artifacts.is_empty() && missing.is_empty() {
        return html! { <p class="gl-hint">{ "No step has left anything behind." }</p> };
    }
    let line = |row: &ArtifactRow| {
        let one = &row.artifact;
        let state = match (row.incomplete, &one.uri) {
            (false, _) => html! { <span class="gl-ok">{ Icon::Check.draw() }{ "complete" }</span> },
            (true, None) => {
                html! { <span class="gl-warn">{ Icon::Half.draw() }{ "without a place" }</span> }
            }
            (true, Some(_)) => {
                html! { <span class="gl-warn">{ Icon::Half.draw() }{ "without a hash" }</span> }
            }
        };
        let hash = one.sha256.clone().unwrap_or_default();
        html! {
            <tr key={format!("{}/{}/{}", one.node, one.name, one.version)}>
                <th scope="row" class="gl-cut" title={one.name.clone()}>{ &one.name }</th>
                <td>{ &one.node }</td>
                <td class="gl-num">{ if one.version.is_empty() { "–" } else { &one.version } }</td>
                <td>{ state }</td>
                <td class="gl-cut" title={one.uri.clone()}>{ one.uri.clone().unwrap_or_default() }</td>
                <td><code class="gl-dim" title={hash.clone()}>{ hash.chars().take(12).collect::<String>() }</code></td>
            </tr>
        }
    };
    let absent = |(node, name): &(&str, &String)| {
        html! {
            <tr key={format!("missing {node} {name}")}>
                <th scope="row">{ *name }</th><td>{ *node }</td><td>{ "–" }</td>
                <td class="gl-bad">{ Icon::Cross.draw() }{ "missing" }</td>
                <td class="gl-dim" colspan="2">{ "The step ended without leaving it." }</td>
            </tr>
        }
    };
    html! {
        <div class="gl-runpane__scroll" tabindex="0" role="group" aria-label="artifacts">
            <table class="gl-table is-artifacts">
                <thead><tr>{ for ["Artifact", "Step", "Version", "State", "Where", "SHA-256"].map(|h| html! { <th scope="col">{ h }</th> }) }</tr></thead>
                <tbody>{ for missing.iter().map(absent) }{ for run.artifacts.iter().map(line) }</tbody>
            </table>
        </div>
    }
}

fn view_stream(run: &RunView) -> Html {
    let extent = &run.extent;
    let sign = monitor::extent_sign(run);
    let gap = |(from, to, why): &(u64, u64, String)| {
        html! { <li key={*from} class="gl-num">{ format!("offsets {from}\u{2013}{to}: {why}") }</li> }
    };
    let more = extent.gap_count.saturating_sub(extent.gaps.len() as u64);
    html! {
        <div class="gl-runpane__scroll" tabindex="0" role="group" aria-label="stream">
            <p>{ view_sign(&sign) }</p>
            <p class="gl-dim">{ &sign.title }</p>
            if extent.restarts > 0 {
                <p class="gl-warn">{ Icon::Again.draw() }{ format!(" The source began its log anew {}; events from before are in the log above the mark.", format::plural(extent.restarts, "time", "times")) }</p>
            }
            if !extent.gaps.is_empty() {
                <h2 class="gl-head">{ format::plural(extent.gap_count, "gap", "gaps") }</h2>
                <ul>{ for extent.gaps.iter().map(gap) }</ul>
                if more > 0 { <p class="gl-dim">{ format!("{} earlier ones in the log", format::count(more)) }</p> }
            }
        </div>
    }
}

/// The window's wishes of a run in a list: its card if it is ours, else the monitor.
pub fn open_run(shell: &Shell, run: &RunId) {
    shell.ask.emit(match run.place() {
        None => Ask::Select(Subject::Run(run.clone())),
        Some(_) => Ask::Monitor(run.clone()),
    });
}
