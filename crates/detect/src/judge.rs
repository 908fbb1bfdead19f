//! Whether a document is a job posting at all: login walls, captchas, pages about something else.
//!
//! Structured data that says "job posting" is believed. Otherwise the words decide: few words and
//! the phrases of a wall make a wall; a text without the words of job adverts (English, French,
//! German, Spanish) is about something else.

use crate::{Document, document::Parts, phrases::Phrases};
use ghostlight_model::{FieldKey, Issue, Observation, Severity};

/// A wall has few words; a posting that mentions signing in has many.
const WALL_WORDS_MAX: usize = 220;

/// Up to this many words a text need not say much to be a posting.
const SHORT_WORDS: usize = 400;

/// A line of fewer words, and no other, is a title and no posting: even a chat message that names
/// employer, job, place and address has more.
const LINE_WORDS_MIN: usize = 10;

/// `Ok` for a posting; else what it is instead and what to do.
///
/// # Errors
/// An [`Issue`] with one of the codes `captcha`, `login_wall`, `removed`, `needs_javascript`,
/// `not_a_posting`.
pub fn judge(document: &Document, observations: &[Observation]) -> Result<(), Issue> {
    if document.has_posting() {
        return Ok(());
    }
    let page = match &document.parts {
        Parts::Html(parts) => Some(&parts.page),
        _ => None,
    };
    let title = document.title().unwrap_or("");
    let text = format!("{title}\n{}", document.visible);
    let facts = Facts {
        phrases: Phrases::new(&text),
        words: document.visible.split_whitespace().take(5000).count(),
        challenge: page.and_then(|p| p.challenges.first().copied()),
        password_fields: page.map_or(0, |p| p.password_fields),
    };
    let jobness = jobness(&facts.phrases, observations);
    captcha(&facts, jobness)?;
    login_wall(&facts, jobness)?;
    removed(&facts)?;
    needs_javascript(&facts, document)?;
    title_alone(document)?;
    not_a_posting(&facts, jobness)
}

/// The code of a page that says that its posting is not there any more.
pub const REMOVED_PAGE: &str = "removed";

/// The words by which a page says that its posting is not there any more, where it does.
pub fn removed_words(document: &Document) -> Option<String> {
    let text = format!("{}\n{}", document.title().unwrap_or(""), document.visible);
    let phrases = Phrases::new(&text);
    let sentence = phrases.sentence(phrases.first_stated(REMOVED)?)?;
    Some(sentence.quote.trim().to_owned())
}

struct Facts<'a> {
    phrases: Phrases<'a>,
    words: usize,
    challenge: Option<&'static str>,
    password_fields: usize,
}

fn captcha(facts: &Facts<'_>, jobness: usize) -> Result<(), Issue> {
    let asked = facts.phrases.first(CAPTCHA).is_some();
    // Application forms carry reCAPTCHA too: code alone counts only on a nearly empty page.
    let coded = facts.challenge.is_some() && facts.words < 40 && jobness < 6;
    if !(coded || (asked && facts.words < WALL_WORDS_MAX && jobness < 8)) {
        return Ok(());
    }
    let by = facts
        .challenge
        .map(|vendor| format!(" by {vendor}"))
        .unwrap_or_default();
    refuse(
        "captcha",
        format!("the page is a bot check{by}, not the posting"),
        "open the page in a browser, pass the check, save the page and drop the file here",
    )
}

fn login_wall(facts: &Facts<'_>, jobness: usize) -> Result<(), Issue> {
    let asked = facts.phrases.first(LOGIN).is_some();
    let few = facts.words < WALL_WORDS_MAX;
    let says_little = jobness < 6 || (facts.words < 60 && jobness < 12);
    let is_wall = few && says_little && (asked || (facts.password_fields > 0 && jobness < 6));
    if !is_wall {
        return Ok(());
    }
    refuse(
        "login_wall",
        "the page asks to sign in instead of showing the posting".to_owned(),
        "sign in with a browser, save the page there and drop the file here, or paste the text",
    )
}

fn removed(facts: &Facts<'_>) -> Result<(), Issue> {
    if facts.words >= 120 || facts.phrases.first_stated(REMOVED).is_none() {
        return Ok(());
    }
    refuse(
        REMOVED_PAGE,
        "the page says that there is no such posting (any more)".to_owned(),
        "look for the posting on the employer's own job board, or analyse a saved copy",
    )
}

fn needs_javascript(facts: &Facts<'_>, document: &Document) -> Result<(), Issue> {
    let says_so = facts.phrases.first(&[
        "enable javascript",
        "javascript is required",
        "requires javascript",
        "turn on javascript",
    ]);
    let is_shell = facts.words == 0 || (facts.words < 15 && document.source.len() > 2000);
    let is_empty = is_shell && document.source.contains("<script");
    if facts.words > 60 || !(says_so.is_some() || is_empty) {
        return Ok(());
    }
    refuse(
        "needs_javascript",
        "the page shows its text only after running scripts, which Ghostlight does not do"
            .to_owned(),
        "open the page in a browser, save it complete and drop the file here, or paste the text",
    )
}

fn title_alone(document: &Document) -> Result<(), Issue> {
    let mut lines = document.visible.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let says_more = lines.any(|line| !line.is_empty() && line != first);
    if says_more || first.split_whitespace().count() >= LINE_WORDS_MIN {
        return Ok(());
    }
    refuse(
        "not_a_posting",
        "the text is a title and nothing more".to_owned(),
        "check that this is the posting's own page; if it is, paste its text",
    )
}

fn not_a_posting(facts: &Facts<'_>, jobness: usize) -> Result<(), Issue> {
    let needed = match facts.words {
        0..=80 => 2,
        81..=SHORT_WORDS => 3,
        _ => 6,
    };
    if jobness >= needed {
        return Ok(());
    }
    refuse(
        "not_a_posting",
        "the text has hardly any of the words of a job posting".to_owned(),
        "check that this is the posting's own page; if it is, paste its text",
    )
}

fn refuse(code: &str, message: String, hint: &str) -> Result<(), Issue> {
    Err(Issue::new(code, Severity::Error, message, Some(hint)))
}

/// How much a text speaks like a job advert: two for a word that hardly anything else uses, one
/// for a word that many texts use, and one for each fact that patterns found.
fn jobness(phrases: &Phrases<'_>, observations: &[Observation]) -> usize {
    const TELLING: [FieldKey; 4] = [
        FieldKey::Salary,
        FieldKey::EmploymentType,
        FieldKey::Seniority,
        FieldKey::Remote,
    ];
    let facts = TELLING
        .iter()
        .filter(|key| observations.iter().any(|o| o.field == **key))
        .count();
    2 * phrases.count(STRONG) + phrases.count(WEAK) + facts
}

const CAPTCHA: &[&str] = &[
    "just a moment",
    "verify you are human",
    "verifying you are human",
    "verify that you are human",
    "checking your browser",
    "are you a robot",
    "i am not a robot",
    "not a robot",
    "unusual traffic",
    "press & hold",
    "press and hold to confirm",
    "enable javascript and cookies to continue",
    "complete the security check",
    "access to this page has been denied",
    "attention required",
    "pardon our interruption",
    "human verification",
    "security verification",
    "ray id",
    "vérifiez que vous êtes humain",
    "êtes-vous un robot",
    "sind sie ein mensch",
    "kein roboter",
    "bestätigen sie, dass sie ein mensch",
    "verifica que eres humano",
    "no soy un robot",
];

const LOGIN: &[&str] = &[
    "sign in to continue",
    "log in to continue",
    "login to continue",
    "please log in",
    "please sign in",
    "sign in to view",
    "log in to view",
    "sign in to see",
    "log in to see",
    "join to view",
    "you must be logged in",
    "create an account to continue",
    "sign up to see",
    "join now to see",
    "sign in or join",
    "forgot password",
    "forgot your password",
    "connectez-vous pour",
    "veuillez vous connecter",
    "identifiez-vous",
    "mot de passe oublié",
    "bitte melden sie sich an",
    "anmelden, um",
    "melden sie sich an, um",
    "passwort vergessen",
    "inicia sesión para",
    "inicie sesión para",
    "iniciar sesión para",
    "olvidaste tu contraseña",
    "session has expired",
];

pub(crate) const REMOVED: &[&str] = &[
    "no longer accepting applications",
    "no longer accepting new applications",
    "position has been filled",
    "job has been filled",
    "role has been filled",
    "vacancy has been filled",
    "position is no longer available",
    "job is no longer available",
    "posting is no longer available",
    "role is no longer available",
    "job posting is no longer available",
    "job you are looking for is no longer",
    "job you are looking for has been",
    "job has expired",
    "posting has expired",
    "this job has closed",
    "this job is closed",
    "position is closed",
    "position has been closed",
    "applications are closed",
    "applications for this job are closed",
    "vacancy is closed",
    "vacancy has closed",
    "job has been removed",
    "job not found",
    "page not found",
    "404 not found",
    "page you are looking for could not be found",
    "page you requested was not found",
    "page could not be found",
    "posting not found",
    "no longer exists",
    "no longer open",
    "offre a été pourvue",
    "poste a été pourvu",
    "poste est pourvu",
    "offre est pourvue",
    "offre a expiré",
    "offre est expirée",
    "plus disponible",
    "page introuvable",
    "stelle ist bereits besetzt",
    "stelle wurde bereits besetzt",
    "stelle ist besetzt",
    "stelle wurde besetzt",
    "nicht mehr verfügbar",
    "nicht mehr online",
    "anzeige ist abgelaufen",
    "stellenanzeige ist nicht mehr",
    "seite nicht gefunden",
    "seite wurde nicht gefunden",
    "puesto ha sido cubierto",
    "vacante ha sido cubierta",
    "oferta ha caducado",
    "oferta ha expirado",
    "ya no está disponible",
    "oferta cerrada",
    "página no encontrada",
];

const STRONG: &[&str] = &[
    "responsibilities",
    "requirements",
    "qualifications",
    "apply now",
    "apply here",
    "apply",
    "to apply",
    "we are looking for",
    "we are seeking",
    "are hiring",
    "hiring",
    "job description",
    "job",
    "jobs",
    "full-time",
    "full time",
    "part-time",
    "part time",
    "salary",
    "candidate",
    "candidates",
    "benefits",
    "equal opportunity",
    "internship",
    "vacancy",
    "recruiter",
    "applicants",
    "what you will do",
    "about the role",
    "years of experience",
    "resume",
    "cv",
    "work permit",
    "visa",
    "compensation",
    "per hour",
    "contract",
    "permanent",
    "vollzeit",
    "teilzeit",
    "bewerbung",
    "bewerben",
    "stellenangebot",
    "stelle",
    "aufgaben",
    "ihr profil",
    "dein profil",
    "anforderungen",
    "wir suchen",
    "wir bieten",
    "gehalt",
    "m/w/d",
    "w/m/d",
    "mitarbeiter",
    "berufserfahrung",
    "festanstellung",
    "ausbildung",
    "poste",
    "candidature",
    "postuler",
    "cdi",
    "cdd",
    "profil recherché",
    "missions",
    "nous recherchons",
    "salaire",
    "recrute",
    "emploi",
    "h/f",
    "expérience",
    "télétravail",
    "alternance",
    "oferta de empleo",
    "requisitos",
    "responsabilidades",
    "jornada",
    "buscamos",
    "salario",
    "puesto",
    "empleo",
    "contrato",
    "candidatos",
    "vacante",
    "teletrabajo",
    "inscribirse",
    "remote",
    "onsite",
    "on-site",
    "hybrid",
];

const WEAK: &[&str] = &[
    "engineer",
    "developer",
    "manager",
    "designer",
    "analyst",
    "specialist",
    "assistant",
    "technician",
    "nurse",
    "driver",
    "consultant",
    "coordinator",
    "director",
    "architect",
    "scientist",
    "representative",
    "associate",
    "accountant",
    "teacher",
    "officer",
    "administrator",
    "sales",
    "lead",
    "team",
    "role",
    "position",
    "career",
    "careers",
    "work",
    "experience",
    "skills",
    "join us",
    "employer",
    "employment",
    "entwickler",
    "ingenieur",
    "kaufmann",
    "fachkraft",
    "leiter",
    "ingénieur",
    "développeur",
    "responsable",
    "assistant",
    "équipe",
    "technicien",
    "ingeniero",
    "desarrollador",
    "técnico",
    "equipo",
    "erfahrung",
    "team",
    "kenntnisse",
    "compétences",
    "conocimientos",
    "experiencia",
    "salaried",
    "engineers",
    "developers",
    "interview",
    "startup",
];

#[cfg(test)]
mod tests {
    use crate::{RawInput, open};

    fn verdict(bytes: &str) -> String {
        let input = RawInput {
            bytes: bytes.as_bytes(),
            name: None,
            url: None,
            content_type: None,
        };
        let document = open(&input).unwrap().remove(0);
        super::judge(&document, &[])
            .err()
            .map_or("posting".to_owned(), |issue| {
                assert!(issue.hint.is_some());
                issue.code
            })
    }

    #[test]
    fn a_removed_page_is_quoted() {
        let page = |html: &str| {
            let input = RawInput {
                bytes: html.as_bytes(),
                name: None,
                url: None,
                content_type: None,
            };
            super::removed_words(&open(&input).unwrap()[0])
        };
        let closed =
            "<h1>Night Baker</h1><p>Thanks for looking. This job is no longer available.</p>";
        assert_eq!(
            page(closed).as_deref(),
            Some("This job is no longer available.")
        );
        assert_eq!(page("<h1>Night Baker</h1><p>Apply now.</p>"), None);
    }

    #[test]
    fn walls_and_postings_are_told_apart() {
        let long = "<p>Our bakery needs hands for the night. You knead, you bake, you clean the ovens at dawn.</p>".repeat(10);
        for (page, want) in [
            ("<title>Just a moment...</title><script src='https://challenges.cloudflare.com/x.js'></script><p>Verifying you are human.</p>".to_owned(), "captcha"),
            ("<html><title>oriel.example</title><body><div id=px-captcha></div>Press & Hold</body></html>".into(), "captcha"),
            ("<h1>Welcome back</h1><p>Sign in to continue</p><form><input type=password></form>".into(), "login_wall"),
            ("<h1>Anmelden</h1><p>Passwort vergessen?</p><form><input type=password></form>".into(), "login_wall"),
            ("<h1>404</h1><p>Page not found</p>".into(), "removed"),
            ("<h1>Night Baker</h1><p>This job is no longer available.</p>".into(), "removed"),
            ("<h1>Apple pie</h1><p>Peel six apples, add sugar and cinnamon, and bake for forty minutes.</p>".into(), "not_a_posting"),
            (format!("<h1>Night Baker</h1>{long}<h2>Requirements</h2><p>Two years of experience.</p><a>Apply now</a><p>Sign in to continue</p>"), "posting"),
            ("<title>Job</title><div><div><h1>Job</h1></div></div>".into(), "not_a_posting"),
            ("<h1>Night Baker, full-time</h1><p>Night Baker, full-time</p>".into(), "not_a_posting"),
            ("<h1>Night Baker</h1><p>Full-time, apply now</p>".into(), "posting"),
            ("Oriel Bread | Night Baker | Berlin | Full-time, onsite. Apply: jobs@oriel.example".into(), "posting"),
            ("Bäcker (m/w/d) in Vollzeit gesucht. Bewerbung an die Bäckerei Oriel.".into(), "posting"),
            ("<script type='application/ld+json'>{\"@type\":\"JobPosting\",\"title\":\"Baker\"}</script><p>Sign in to continue</p>".into(), "posting"),
            ("<!doctype html><body><div id=root></div><script>boot()</script></body>".into(), "needs_javascript"),
            ("<html><noscript>You need to enable JavaScript to run this app.</noscript><body><p>Please enable JavaScript to view this page.</p></body></html>".into(), "needs_javascript"),
        ] {
            assert_eq!(verdict(&page), want, "{page}");
        }
    }
}
