//! The model that is set up: its settings and key, questions to it, and the commands of the edge about it (SPEC A2, B6).
//!
//! What is asked and how an answer is read is `detect::ask`'s, the wire is `fetch`'s. Both runs and persons ask here: a
//! run for what its own reading left open, a person for what is open on a card, whose answer is only suggested.

use crate::{
    Engine, Handle, secrets,
    secrets::{MODEL_KEY, Secrets},
    store_error,
};
use ghostlight_api::{
    ApiError, ErrorCode,
    command::{
        AskModel, ForgetModel, MODEL_TIMEOUT_S_MAX, ModelAnswered, ModelForm, ModelTried, SetModel,
        TryModel,
    },
    view::{ModelView, TokenPlace},
};
use ghostlight_detect::ask::{self, ASKABLE, Asked, Endpoint, Question, Refusal};
use ghostlight_fetch::{ASK_TIMEOUT, Ask, Fetcher, model_url};
use ghostlight_model::{
    Amount, CaptureId, FieldKey, FieldValue, Issue, Layer, Micros, Observation, PostingId,
    Severity, Source,
    card::{CardField, FieldState},
    event::ModelUse,
};
use ghostlight_store::{ModelAnswer, Store, StoreError, read::PostingCard};
use ghostlight_sync::frame::Secret;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use url::Url;

/// The setting.
const SETTING: &str = "model";
/// Characters of a model's name.
const NAME_CHARS_MAX: usize = 200;
/// Characters of an address.
const URL_CHARS_MAX: usize = 2_000;
/// How long a request's thread waits for a look-up that hangs in the system's resolver, once it has its answer.
const SHUTDOWN: Duration = Duration::from_millis(100);

/// Why no model is asked, where none is set up: a normal state.
pub(crate) const NONE: &str = "no model is configured";
const OFF: &str = "no model is used (--no-model)";

/// An invented posting for trying a model.
const TRIAL: &str =
    "Night Baker (all genders)\nOriel Bread, Cologne\nYou knead and bake from 22:00 to 06:00.";

/// What the environment and the command line say about the model; the shell reads them.
#[derive(Clone, Default)]
pub struct ModelDefaults {
    /// Use this one instead of the one in the settings (`GHOSTLIGHT_MODEL_URL`).
    pub url: Option<String>,
    /// Its name (`GHOSTLIGHT_MODEL_NAME`).
    pub name: Option<String>,
    /// Its key, or that of the one in the settings (`GHOSTLIGHT_MODEL_KEY`).
    pub key: Option<String>,
    /// Use none (`--no-model`).
    pub off: bool,
}

impl fmt::Debug for ModelDefaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is a secret, and the address may hold one.
        f.debug_struct("ModelDefaults")
            .field("name", &self.name)
            .field("off", &self.off)
            .finish_non_exhaustive()
    }
}

/// As stored; the key is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    url: String,
    name: String,
    timeout_s: u16,
    price_in: Option<Amount>,
    price_out: Option<Amount>,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: String::new(),
            timeout_s: ASK_TIMEOUT.as_secs() as u16,
            price_in: None,
            price_out: None,
        }
    }
}

/// The model that is set up.
pub(crate) struct Models {
    store: Store,
    secrets: Secrets,
    fetcher: Fetcher,
    outside: Mutex<ModelDefaults>,
    /// The kept key, once it was needed: a keychain may ask a person each time.
    known_key: Mutex<Option<Secret>>,
}

/// Which model is to be asked, if any.
pub(crate) enum Current {
    /// None, and why: a normal state.
    None(&'static str),
    /// One that cannot be asked, and why.
    Unusable(Issue),
    /// This one.
    Model(Box<Model>),
}

/// A model that can be asked.
pub(crate) struct Model {
    pub name: String,
    url: Url,
    key: Option<Secret>,
    timeout: Duration,
    prices: (Option<Amount>, Option<Amount>),
    fetcher: Fetcher,
}

/// What a model is asked about.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub text: &'a str,
    pub fields: &'a [FieldKey],
    pub capture: CaptureId,
    pub ts: Micros,
}

impl Models {
    pub fn new(store: Store, secrets: Secrets, fetcher: Fetcher) -> Self {
        Self {
            store,
            secrets,
            fetcher,
            outside: Mutex::default(),
            known_key: Mutex::default(),
        }
    }

    /// Takes over what the environment and the command line say.
    pub fn set_defaults(&self, defaults: ModelDefaults) {
        *lock(&self.outside) = defaults;
    }

    /// The name of the model that runs ask; without asking for its key.
    pub fn name(&self) -> Result<Option<String>, StoreError> {
        let outside = lock(&self.outside).clone();
        if outside.off {
            return Ok(None);
        }
        let stored = self.stored()?;
        let named = outside.url.is_some() || !stored.url.is_empty();
        Ok(named.then(|| outside.name.unwrap_or(stored.name)))
    }

    /// The model to ask. May block on a keychain.
    pub fn current(&self) -> Result<Current, StoreError> {
        let outside = lock(&self.outside).clone();
        if outside.off {
            return Ok(Current::None(OFF));
        }
        let stored = self.stored()?;
        let form = ModelForm {
            url: outside.url.clone().unwrap_or(stored.url),
            name: outside.name.clone().unwrap_or(stored.name),
            key: None,
            timeout_s: stored.timeout_s,
            price_in: stored.price_in,
            price_out: stored.price_out,
        };
        if form.url.is_empty() {
            return Ok(Current::None(NONE));
        }
        Ok(match self.usable(&form) {
            Ok(model) => Current::Model(Box::new(model)),
            Err(error) => Current::Unusable(unusable(&error)),
        })
    }

    /// The model of a form, with the key in it, the environment's, or the one that is kept for the same server.
    fn usable(&self, form: &ModelForm) -> Result<Model, ApiError> {
        let url = check(form)?;
        let typed = form.key.as_deref().map(str::trim).map(str::to_owned);
        let key = match typed {
            Some(key) => Some(key).filter(|key| !key.is_empty()).map(Secret),
            None => match lock(&self.outside).key.clone() {
                Some(key) => Some(Secret(key)),
                None => self.kept_key(&url)?,
            },
        };
        Ok(Model {
            name: form.name.trim().to_owned(),
            url,
            key,
            timeout: Duration::from_secs(form.timeout_s.into()),
            prices: (form.price_in, form.price_out),
            fetcher: self.fetcher.clone(),
        })
    }

    /// The key that is kept, for the server that it was given for and no other.
    fn kept_key(&self, url: &Url) -> Result<Option<Secret>, ApiError> {
        let stored = self.stored().map_err(|e| store_error(&e))?;
        let same = model_url(&stored.url).is_ok_and(|stored| stored.origin() == url.origin());
        if !same || self.secrets.place(MODEL_KEY) == TokenPlace::None {
            return Ok(None);
        }
        if let Some(key) = lock(&self.known_key).clone() {
            return Ok(Some(key));
        }
        let key = self.secrets.get(MODEL_KEY)?;
        lock(&self.known_key).clone_from(&key);
        Ok(key)
    }

    fn stored(&self) -> Result<Stored, StoreError> {
        let text = self.store.setting(SETTING)?;
        // What an older or newer version wrote and this one cannot read is set up anew.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// What the settings show.
    pub fn view(&self) -> Result<ModelView, StoreError> {
        let (stored, outside) = (self.stored()?, lock(&self.outside).clone());
        let instead = outside.url.as_ref().map(|url| {
            let name = outside.name.as_deref().unwrap_or(&stored.name);
            let host = model_url(url).ok();
            let host = host.and_then(|url| url.host_str().map(str::to_owned));
            format!("{name} at {}", host.unwrap_or_else(|| "no address".into()))
        });
        let place = match self.secrets.place(MODEL_KEY) {
            _ if outside.key.is_some() => TokenPlace::Environment,
            place => place,
        };
        Ok(ModelView {
            url: stored.url,
            name: stored.name,
            key: place,
            timeout_s: stored.timeout_s,
            price_in: stored.price_in,
            price_out: stored.price_out,
            instead,
            unused: outside.off.then(|| OFF.to_owned()),
        })
    }

    fn set(&self, form: ModelForm) -> Result<(), ApiError> {
        let url = check(&form)?;
        let key = form.key.as_deref().map(str::trim);
        if let Some(key) = key {
            secrets::check(key)?;
        }
        let before = self.stored().map_err(|e| store_error(&e))?;
        let moved = model_url(&before.url).is_ok_and(|before| before.origin() != url.origin());
        match key {
            Some(key) => self.secrets.put(MODEL_KEY, key)?,
            // It was given to another server.
            None if moved => self.secrets.forget(MODEL_KEY)?,
            None => {}
        }
        *lock(&self.known_key) = None;
        let stored = Stored {
            url: form.url.trim().to_owned(),
            name: form.name.trim().to_owned(),
            timeout_s: form.timeout_s,
            price_in: form.price_in,
            price_out: form.price_out,
        };
        self.put(&stored)
    }

    fn forget(&self) -> Result<(), ApiError> {
        self.secrets.forget(MODEL_KEY)?;
        *lock(&self.known_key) = None;
        self.put(&Stored::default())?;
        // Out of the keychain as well; what does not work now is tried again with the next key.
        self.secrets.settle(MODEL_KEY);
        Ok(())
    }

    fn put(&self, stored: &Stored) -> Result<(), ApiError> {
        let text = serde_json::to_string(stored)
            .map_err(|e| ApiError::internal(format!("storing the model: {e}")))?;
        let put = self.store.put_setting(SETTING, text).wait();
        put.map_err(|e| store_error(&e))
    }
}

impl Model {
    /// Asks, and hands each value to `sink` the moment it is known. Takes no longer than the time that is set.
    pub fn ask(&self, about: About<'_>, sink: &mut dyn FnMut(Observation)) -> (Asked, ModelUse) {
        let question = Question {
            model: &self.name,
            text: about.text,
            fields: about.fields,
            capture: about.capture,
            ts: about.ts,
        };
        let wire = Wire {
            model: self,
            until: Instant::now() + self.timeout,
        };
        let asked = ask::ask(&wire, question, sink);
        let usage = ModelUse {
            model: self.name.clone(),
            asked: about.fields.to_vec(),
            tokens_in: asked.tokens_in,
            tokens_out: asked.tokens_out,
            cost_millionths: self.cost(&asked),
        };
        (asked, usage)
    }

    /// In millionths of the prices' currency; `None` without a price or a count.
    fn cost(&self, asked: &Asked) -> Option<u64> {
        let part = |tokens: Option<u32>, price: Option<Amount>| {
            let price = u64::try_from(price?.ten_thousandths()).ok()?;
            // Ten-thousandths a million tokens are ten-thousandths of a millionth a token.
            Some(price.saturating_mul(tokens?.into()) / 10_000)
        };
        let asked_for = part(asked.tokens_in, self.prices.0);
        let answered = part(asked.tokens_out, self.prices.1);
        Some(asked_for?.saturating_add(answered?))
    }
}

/// The way to a model, open for so long.
struct Wire<'a> {
    model: &'a Model,
    until: Instant,
}

impl Endpoint for Wire<'_> {
    fn send(&self, body: &str, piece: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Refusal> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Refusal {
                form: None,
                issue: Issue::new(
                    "fault",
                    Severity::Error,
                    format!("No thread to ask the model: {e}."),
                    Some("Close other programs, then try again."),
                ),
            })?;
        let ask = Ask {
            url: &self.model.url,
            key: self.model.key.as_ref().map(|key| key.0.as_str()),
            body,
            timeout: self.until.saturating_duration_since(Instant::now()),
        };
        let sent = runtime.block_on(self.model.fetcher.ask(ask, piece));
        runtime.shutdown_timeout(SHUTDOWN);
        sent.map_err(|error| Refusal {
            form: error.form().map(str::to_owned),
            issue: Issue::new(
                error.code(),
                Severity::Error,
                error.to_string(),
                Some(error.hint()),
            ),
        })
    }
}

/// The address of a form that can be used.
fn check(form: &ModelForm) -> Result<Url, ApiError> {
    let refuse = |message: String, hint: &str| ApiError::new(ErrorCode::Input, message, hint);
    let again = "Correct the value and try again.";
    if form.url.chars().count() > URL_CHARS_MAX {
        return Err(refuse(
            format!("The address is longer than {URL_CHARS_MAX} characters."),
            again,
        ));
    }
    let url = model_url(&form.url).map_err(|why| refuse(why, again))?;
    let name = form.name.trim();
    if name.is_empty() {
        return Err(refuse(
            "The model has no name.".into(),
            "Give the name by which its server knows it, such as gpt-4o-mini or llama3.2; from outside it is GHOSTLIGHT_MODEL_NAME.",
        ));
    }
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(refuse(
            format!("A model's name has at most {NAME_CHARS_MAX} characters in one line."),
            again,
        ));
    }
    if !(1..=MODEL_TIMEOUT_S_MAX).contains(&form.timeout_s) {
        return Err(refuse(
            format!("The time for a question is from 1 to {MODEL_TIMEOUT_S_MAX} seconds."),
            again,
        ));
    }
    let prices = [form.price_in, form.price_out].into_iter().flatten();
    if prices.into_iter().any(|price| price.ten_thousandths() < 0) {
        return Err(refuse("A price is not negative.".into(), again));
    }
    Ok(url)
}

fn unusable(error: &ApiError) -> Issue {
    Issue::new(
        "model_settings",
        Severity::Error,
        &error.message,
        error.hint.as_deref(),
    )
}

/// What stopped an answer, for a person who waits for it.
fn stopped(issue: &Issue) -> ApiError {
    let hint = issue.hint.clone().unwrap_or_default();
    ApiError::new(ErrorCode::Declined, issue.message.clone(), hint)
}

/// The numbers of a question, for `ENRICH`'s event.
pub(crate) fn metrics(usage: &ModelUse, values: usize) -> Vec<(&'static str, serde_json::Value)> {
    let counts = [
        ("tokens_in", usage.tokens_in.map(u64::from)),
        ("tokens_out", usage.tokens_out.map(u64::from)),
    ];
    let counts = counts.into_iter();
    let counts = counts.filter_map(|(name, count)| Some((name, count?.into())));
    let cost = usage
        .cost_millionths
        .map(|cost| ("cost", (cost as f64 / 1e6).into()));
    let asked: Vec<&str> = usage.asked.iter().map(FieldKey::name).collect();
    let mut metrics = vec![
        ("model", usage.model.clone().into()),
        ("asked", asked.join(" ").into()),
        ("observations", values.into()),
    ];
    metrics.extend(counts.chain(cost));
    metrics
}

fn notes(asked: &Asked) -> Vec<String> {
    let issues = asked.failure.iter().chain(&asked.issues);
    issues.map(|issue| issue.message.clone()).collect()
}

/// The fields of a card that a person may ask a model for.
fn open_fields(fields: &[CardField]) -> Vec<FieldKey> {
    let is_open = |field: &&CardField| {
        let mine = field
            .chosen
            .as_ref()
            .is_some_and(|c| c.source == Source::User);
        let open = matches!(
            field.state,
            FieldState::NotFound | FieldState::Failed | FieldState::Conflict
        );
        open && !mine && ASKABLE.contains(&field.key)
    };
    fields
        .iter()
        .filter(is_open)
        .map(|field| field.key.clone())
        .collect()
}

impl Engine {
    /// Takes over what the environment and the command line say about the model; before anything is analysed.
    pub fn use_model(&self, defaults: ModelDefaults) {
        self.shared.pipeline.models.set_defaults(defaults);
    }

    /// The model that runs ask, by name, and in words where it is or why it is not asked.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn model_words(&self) -> Result<String, ApiError> {
        let current = self.shared.pipeline.models.current();
        Ok(match current.map_err(|e| store_error(&e))? {
            Current::None(why) => why.to_owned(),
            Current::Unusable(issue) => format!("cannot be asked: {}", issue.message),
            Current::Model(model) => {
                let host = model.url.host_str().unwrap_or_default();
                format!("{} at {host}", model.name)
            }
        })
    }

    /// By field what a model answered when a person asked it about this capture.
    pub(crate) fn model_offers(
        &self,
        posting: PostingId,
        capture: Option<CaptureId>,
    ) -> Result<BTreeMap<FieldKey, Vec<Observation>>, StoreError> {
        let answer = self.store().model_answer(posting)?;
        let offers = answer.into_iter().flat_map(|answer| answer.offers);
        let mut by_field: BTreeMap<FieldKey, Vec<Observation>> = BTreeMap::new();
        for offer in offers.filter(|offer| Some(offer.capture) == capture) {
            by_field.entry(offer.field.clone()).or_default().push(offer);
        }
        Ok(by_field)
    }

    fn model(&self) -> Result<Box<Model>, ApiError> {
        let current = self.shared.pipeline.models.current();
        match current.map_err(|e| store_error(&e))? {
            Current::Model(model) => Ok(model),
            Current::Unusable(issue) => Err(stopped(&issue)),
            Current::None(OFF) => Err(ApiError::new(
                ErrorCode::Declined,
                "Ghostlight was started without a model (--no-model).",
                "Start it without that option to ask one.",
            )),
            Current::None(_) => Err(ApiError::new(
                ErrorCode::Declined,
                "No model is set up.",
                "Set one up in the settings, below Model.",
            )),
        }
    }

    fn ask_about(
        &self,
        found: &PostingCard,
        posting: PostingId,
    ) -> Result<ModelAnswered, ApiError> {
        let fields = open_fields(&found.card.fields);
        if fields.is_empty() {
            return Err(ApiError::new(
                ErrorCode::Declined,
                "Nothing that a model could be asked for is missing or in conflict on this card.",
                "Ask it about another posting.",
            ));
        }
        let no_text = || {
            ApiError::new(
                ErrorCode::NotFound,
                "This posting has no text any more that a model could be shown.",
                "Analyse it again from its source.",
            )
        };
        let capture = found.run.capture.ok_or_else(no_text)?;
        let text = self.store().layer(capture, Layer::Visible);
        let text = text.map_err(|e| store_error(&e))?.ok_or_else(no_text)?;
        let about = About {
            text: &text,
            fields: &fields,
            capture,
            ts: self.shared.host.now(),
        };
        let mut offers = Vec::new();
        let (asked, usage) = self.model()?.ask(about, &mut |offer| offers.push(offer));
        let offered = offers.iter().map(|offer| offer.field.clone()).collect();
        let notes = notes(&asked);
        if offers.is_empty()
            && let Some(failure) = &asked.failure
        {
            return Err(stopped(failure));
        }
        let answer = ModelAnswer {
            at: self.shared.host.now(),
            usage: usage.clone(),
            answer: asked.answer,
            offers,
        };
        let kept = self.store().put_model_answer(posting, answer).wait();
        kept.map_err(|e| store_error(&e))?;
        Ok(ModelAnswered {
            usage,
            offered,
            notes,
        })
    }
}

impl Handle<SetModel> for Engine {
    fn handle(&self, command: SetModel) -> Result<(), ApiError> {
        self.shared.pipeline.models.set(command.model)
    }
}

impl Handle<ForgetModel> for Engine {
    fn handle(&self, _: ForgetModel) -> Result<(), ApiError> {
        self.shared.pipeline.models.forget()
    }
}

impl Handle<TryModel> for Engine {
    fn handle(&self, command: TryModel) -> Result<ModelTried, ApiError> {
        let model = self.shared.pipeline.models.usable(&command.model)?;
        let about = About {
            text: TRIAL,
            fields: &[FieldKey::Company],
            capture: CaptureId([0; 16]),
            ts: self.shared.host.now(),
        };
        let mut seen = None;
        let began = Instant::now();
        let (asked, usage) = model.ask(about, &mut |value| seen = Some(value));
        if let Some(failure) = &asked.failure {
            return Err(stopped(failure));
        }
        // In tenths, and never none.
        let took = began.elapsed().as_secs_f64().max(0.1);
        let name = &model.name;
        let said = match &seen {
            Some(seen) if seen.is_ungrounded() => format!(
                "{name} answered in {took:.1} s, but not from the text: it takes the company of a test posting for “{}”, \
                 which is “Oriel Bread”",
                short(&seen.value)
            ),
            Some(seen) => format!(
                "{name} answered in {took:.1} s and read the company of a test posting: “{}”",
                short(&seen.value)
            ),
            None => format!(
                "{name} answered in {took:.1} s, and found no company in a test posting that names one"
            ),
        };
        let tokens = usage.tokens_in.zip(usage.tokens_out);
        let tokens = tokens.map_or_else(String::new, |(asked, answered)| {
            format!(" ({asked} tokens asked, {answered} answered)")
        });
        Ok(ModelTried {
            sentence: format!("{said}{tokens}."),
            notes: notes(&asked),
        })
    }
}

impl Handle<AskModel> for Engine {
    fn handle(&self, command: AskModel) -> Result<ModelAnswered, ApiError> {
        let found = self.posting_card(command.posting)?;
        self.ask_about(&found, command.posting)
    }
}

/// For a sentence.
fn short(value: &FieldValue) -> String {
    value.display().chars().take(80).collect()
}

/// What a panicking holder left is whole: both change in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
