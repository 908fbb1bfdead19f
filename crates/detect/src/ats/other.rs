//! Systems without a file of their own: members known by their usual names.
//!
//! Deliberately narrow: an object counts as a job only with a title under a job's name for it, and
//! two more members that jobs have; unknown JSON is better refused than misread.

use super::text_of;
use crate::{
    entities::clean,
    html::readable,
    keys, place,
    structured::{At, Out, job_posting},
    vocab,
};
use ghostlight_model::{Amount, FieldKey, FieldValue, Place, Salary};

const TITLES: &[&str] = &[
    "title",
    "jobTitle",
    "job_title",
    "PositionTitle",
    "jobOpeningName",
    "Title",
    "JobTitle",
    "name",
    "position",
    "headline",
    "postingTitle",
    "titel",
];
const COMPANIES: &[&str] = &[
    "company",
    "company_name",
    "companyName",
    "OrganizationName",
    "employer_name",
    "employer",
    "organization",
    "arbeitgeber",
    "hiringOrganization",
    "companyInfo",
];
const LOCATIONS: &[&str] = &[
    "location",
    "locations",
    "PositionLocation",
    "PrimaryLocation",
    "workLocation",
    "candidate_required_location",
    "jobLocation",
    "locationsText",
    "locationName",
    "LocationName",
    "LocationDescription",
    "job_location",
    "city",
    "jobGeo",
    "locationRestrictions",
    "workplace_address",
];
const POSTED: &[&str] = &[
    "PublicationStartDate",
    "PositionStartDate",
    "datePosted",
    "posted_at",
    "postedAt",
    "publishedAt",
    "published_at",
    "published_on",
    "publication_date",
    "releasedDate",
    "PostedDate",
    "postedDate",
    "pubDate",
    "date_published",
    "created_at",
    "createdAt",
    "created",
    "t_create",
    "ExternalPostedStartDate",
    "startDate",
    "PublishedDate",
    "date",
    "job_posted_at_datetime_utc",
    "postedOn",
];
const DEADLINES: &[&str] = &[
    "ApplicationCloseDate",
    "PositionEndDate",
    "validThrough",
    "valid_through",
    "deadline_at",
    "application_deadline",
    "applicationDeadline",
    "expires_at",
    "expiryDate",
    "endDate",
    "closingDate",
    "deadline",
];
const TYPES: &[&str] = &[
    "employmentType",
    "employment_type",
    "PositionSchedule",
    "typeOfEmployment",
    "employmentStatusLabel",
    "job_type",
    "jobType",
    "job_types",
    "timeType",
    "type",
    "contract_time",
    "commitment",
    "schedule",
    "employment_type_text",
    "job_employment_type",
];
const DESCRIPTIONS: &[&str] = &[
    "description",
    "jobDescription",
    "job_description",
    "content",
    "descriptionHtml",
    "content_html",
    "descriptionPlain",
    "body",
    "description_html",
    "full_description",
    "ExternalDescriptionStr",
];
/// Members that hold the job's own address.
pub(super) const URLS: &[&str] = &[
    "url",
    "job_url",
    "jobUrl",
    "PositionURI",
    "absolute_url",
    "link",
    "apply_url",
    "applyUrl",
    "applicationLink",
    "redirect_url",
    "canonicalPositionUrl",
    "careers_url",
    "shortlink",
    "application_url",
    "job_apply_link",
    "ref",
    "externalPath",
];
const MODES: &[&str] = &[
    "workplace_type",
    "workplaceType",
    "WorkplaceType",
    "remoteType",
    "workplace",
    "remote_type",
    "work_mode",
];
const REMOTE_FLAGS: &[&str] = &[
    "remote",
    "isRemote",
    "is_remote",
    "telecommuting",
    "RemoteIndicator",
    "IsRemote",
    "job_is_remote",
];

/// Members that say where in a company a job is, or which one it is.
const MARKS: &[&str] = &[
    "department",
    "team",
    "departments",
    "category",
    "requisition_id",
    "reqId",
    "uuid",
    "refNumber",
    "bulletFields",
    "agency",
];

/// Systems that wrap the job in one member.
const WRAPPERS: &[&str] = &["MatchedObjectDescriptor", "jobPostingInfo"];

pub(super) fn is_job(at: &At<'_>) -> bool {
    let job = unwrap(at);
    let has = |keys: &[&str]| job.any(keys).is_some();
    // `name` alone names anything; with a place and a link or a day it names a job.
    let sure_title = TITLES[..8]
        .iter()
        .filter(|t| **t != "name")
        .any(|k| job.node.get(k).is_some_and(|t| t.as_str().is_some()));
    let title = sure_title || text_of(&job, TITLES).is_some();
    let facts = [
        LOCATIONS,
        POSTED,
        TYPES,
        DESCRIPTIONS,
        URLS,
        COMPANIES,
        MARKS,
    ]
    .iter()
    .filter(|keys| has(keys))
    .count();
    title && facts >= if sure_title { 2 } else { 3 }
}

pub(super) fn emit(job: &At<'_>, out: &mut Out<'_>) {
    let job = &unwrap(job);
    if let Some((title, at)) = text_of(job, TITLES) {
        out.put(FieldKey::Title, FieldValue::Text(title), 960, &at);
    }
    if let Some(at) = job.any(COMPANIES).and_then(|at| named(&at)) {
        let name = clean(&at.text().unwrap_or_default());
        out.put(FieldKey::Company, FieldValue::Text(name), 940, &at);
    }
    location(job, out);
    mode(job, out);
    employment(job, out);
    salary(job, out);
    for (field, keys, confidence) in [
        (FieldKey::PostedAt, POSTED, 920),
        (FieldKey::ValidThrough, DEADLINES, 920),
    ] {
        let found = keys.iter().find_map(|key| {
            let at = job.get(key)?;
            Some((job_posting::day_of(&at)?, at))
        });
        if let Some((day, at)) = found {
            out.put(field, FieldValue::Date(day), confidence, &at);
        }
    }
    let link = URLS.iter().find_map(|key| {
        let at = job.get(key)?;
        Some((keys::absolute(&at.text()?, None)?, at))
    });
    if let Some((url, at)) = link {
        if let Some(id) = keys::ats_id(&url) {
            out.put(
                FieldKey::Platform,
                FieldValue::Text(keys::vendor_label(id.vendor).to_owned()),
                950,
                &at,
            );
        }
        out.put(FieldKey::ApplyUrl, FieldValue::Url(url), 900, &at);
    }
    if let Some(at) = job
        .any(DESCRIPTIONS)
        .or_else(|| job.path(&["UserArea", "Details", "JobSummary"]))
        && let Some(text) = at
            .node
            .as_str()
            .map(|t| readable(t, job_posting::DESCRIPTION_BYTES_MAX))
        && !text.is_empty()
    {
        out.put(FieldKey::Description, FieldValue::Text(text), 940, &at);
    }
}

fn unwrap<'a>(at: &At<'a>) -> At<'a> {
    at.any(WRAPPERS)
        .filter(|inner| inner.node.is_object())
        .unwrap_or_else(|| at.clone())
}

/// The text of a member, or of the name inside of it.
fn named<'a>(at: &At<'a>) -> Option<At<'a>> {
    let first = at.each().into_iter().next()?;
    if first.text().is_some() {
        return Some(first);
    }
    first
        .any(&["name", "display_name", "label", "Name", "title"])
        .filter(|n| n.text().is_some())
}

fn location(job: &At<'_>, out: &mut Out<'_>) {
    for key in LOCATIONS {
        let Some(at) = job.get(key) else { continue };
        let mut places: Vec<Place> = Vec::new();
        for one in at.each().into_iter().take(place::PLACES_MAX) {
            for place in places_of(&one) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        if !places.is_empty() {
            return out.put(FieldKey::Location, FieldValue::Places(places), 930, &at);
        }
    }
}

fn places_of(at: &At<'_>) -> Vec<Place> {
    if let Some(line) = at.text() {
        return place::from_line(&clean(&line));
    }
    let part = |keys: &[&str]| at.any(keys).and_then(|p| p.text());
    let line = part(&[
        "fullLocation",
        "LocationName",
        "label",
        "display_name",
        "name",
        "location",
        "Name",
    ])
    .unwrap_or_default();
    let city = part(&["city", "CityName", "addressLocality", "City"]);
    // USAJOBS writes "Anchorage, Alaska" in the city's place.
    let city = city.map(|c| c.split(',').next().unwrap_or("").to_owned());
    let region = part(&[
        "region",
        "state",
        "CountrySubDivisionCode",
        "addressRegion",
        "province",
        "State",
    ]);
    let country = part(&[
        "country",
        "CountryCode",
        "countryCode",
        "addressCountry",
        "country_code",
        "Country",
    ]);
    if city.is_none() && region.is_none() {
        return place::from_line(&line);
    }
    place::from_parts(
        city.as_deref(),
        region.as_deref(),
        country.as_deref(),
        &line,
    )
    .into_iter()
    .collect()
}

fn mode(job: &At<'_>, out: &mut Out<'_>) {
    let said = MODES.iter().find_map(|key| {
        let at = named(&job.get(key)?)?;
        Some((vocab::work_mode(&at.text()?)?, at))
    });
    if let Some((mode, at)) = said {
        return out.put(
            FieldKey::Remote,
            FieldValue::Choice(mode.to_owned()),
            950,
            &at,
        );
    }
    let hybrid = job
        .path(&["location", "hybrid"])
        .filter(|h| h.truth() == Some(true));
    let details = job.path(&["UserArea", "Details"]);
    let flag = REMOTE_FLAGS.iter().find_map(|key| {
        let scopes = [Some(job.clone()), job.get("location"), details.clone()];
        scopes
            .into_iter()
            .flatten()
            .find_map(|scope| scope.get(key).filter(|f| f.truth() == Some(true)))
    });
    if let Some(at) = hybrid {
        return out.put(
            FieldKey::Remote,
            FieldValue::Choice("hybrid".to_owned()),
            950,
            &at,
        );
    }
    if let Some(at) = flag {
        return out.put(
            FieldKey::Remote,
            FieldValue::Choice("remote".to_owned()),
            950,
            &at,
        );
    }
    let line = LOCATIONS.iter().find_map(|key| {
        let at = named(&job.get(key)?)?;
        Some((vocab::work_mode(&at.text()?)?, at))
    });
    if let Some((mode, at)) = line {
        out.put(
            FieldKey::Remote,
            FieldValue::Choice(mode.to_owned()),
            900,
            &at,
        );
    }
}

fn employment(job: &At<'_>, out: &mut Out<'_>) {
    for key in TYPES {
        let Some(at) = job.get(key) else { continue };
        let mut types: Vec<String> = Vec::new();
        for one in at.each() {
            let text = named(&one).and_then(|n| n.text()).unwrap_or_default();
            types.extend(
                vocab::employment_types(&text.replace('_', " "))
                    .into_iter()
                    .filter(|t| !types.contains(t))
                    .collect::<Vec<_>>(),
            );
        }
        if !types.is_empty() {
            return out.put(FieldKey::EmploymentType, FieldValue::List(types), 930, &at);
        }
    }
}

fn salary(job: &At<'_>, out: &mut Out<'_>) {
    let scope = [
        "salary",
        "PositionRemuneration",
        "compensation",
        "salaryRange",
        "salary_range",
    ]
    .iter()
    .find_map(|key| {
        job.get(key)?
            .each()
            .into_iter()
            .find(|s| s.node.is_object())
    })
    .unwrap_or_else(|| job.clone());
    let number = |keys: &[&str]| {
        let text = scope.any(keys).and_then(|n| n.text())?;
        vocab::amount(&text).filter(|a: &Amount| a.ten_thousandths() > 0)
    };
    let min = number(&[
        "salary_min",
        "minSalary",
        "MinimumRange",
        "min",
        "min_salary",
        "salaryMin",
        "compensation_minimum",
        "annualSalaryMin",
        "job_min_salary",
        "salary_from",
    ]);
    let max = number(&[
        "salary_max",
        "maxSalary",
        "MaximumRange",
        "max",
        "max_salary",
        "salaryMax",
        "compensation_maximum",
        "annualSalaryMax",
        "job_max_salary",
        "salary_to",
    ]);
    if min.or(max).is_none() {
        return;
    }
    let text = |keys: &[&str]| scope.any(keys).and_then(|t| t.text());
    let currency = text(&[
        "salary_currency",
        "currency",
        "salaryCurrency",
        "compensation_currency",
        "currencyCode",
        "job_salary_currency",
    ])
    .and_then(|c| vocab::currency(&c))
    .or_else(|| job.get("PositionURI").map(|_| "USD".to_owned()));
    let period = text(&[
        "Description",
        "period",
        "salary_period",
        "interval",
        "compensation_frequency",
        "salaryPeriod",
        "RateIntervalCode",
        "job_salary_period",
        "unit",
    ])
    .and_then(|p| vocab::period(&p));
    let mut salary = Salary {
        min: min.or(max),
        max: max.or(min),
        currency,
        period,
        ..Salary::default()
    };
    salary.period = salary.period.or_else(|| vocab::likely_period(&salary));
    let at = scope
        .any(&[
            "salary_min",
            "minSalary",
            "compensation_minimum",
            "salary_max",
            "maxSalary",
        ])
        .unwrap_or(scope);
    out.put(FieldKey::Salary, FieldValue::Salary(salary), 910, &at);
}
