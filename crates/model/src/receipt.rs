//! The completeness receipt (SPEC B8): what was looked for, by which methods, with what result.

use crate::{observation::Method, value::FieldKey};
use serde::{Deserialize, Serialize};

/// One line a field. Stored in the log with `VALIDATE`'s end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// In the order of the card.
    pub fields: Vec<FieldReceipt>,
}

/// What was done for one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldReceipt {
    /// Which field.
    pub field: FieldKey,
    /// What the field ended as.
    pub outcome: Outcome,
    /// The methods that looked for it, in order.
    pub looked: Vec<Looked>,
    /// Why it was not found, where the text itself says so ("competitive salary").
    pub reason: Option<String>,
}

impl Receipt {
    /// Says field by field what became of a method that does not look for all of them alike; what it found stands.
    pub fn tell(&mut self, method: Method, result: impl Fn(&FieldKey) -> LookResult) {
        for line in &mut self.fields {
            let looked = line.looked.iter_mut().find(|l| l.method == method);
            match looked {
                Some(looked) if !matches!(looked.result, LookResult::Found(_)) => {
                    looked.result = result(&line.field);
                }
                _ => {}
            }
        }
    }

    /// Whether `method` looked for `field`, with whatever result.
    pub fn looked(&self, field: &FieldKey, method: Method) -> bool {
        let line = self.fields.iter().find(|line| line.field == *field);
        let looked = line.and_then(|line| line.looked.iter().find(|l| l.method == method));
        looked.is_some_and(|l| !matches!(l.result, LookResult::Skipped(_) | LookResult::Failed(_)))
    }
}

/// What a field ended as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// One answer.
    Found,
    /// Answers that disagree.
    Conflict,
    /// None.
    NotFound,
}

/// One method's result for one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// By which method.
    pub method: Method,
    /// With what result.
    pub result: LookResult,
}

/// A method's result for a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookResult {
    /// So many candidates.
    Found(u32),
    /// It looked and saw nothing.
    Nothing,
    /// It had nothing to look at, or was not needed; the reason.
    Skipped(String),
    /// It should have looked and could not; the reason.
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::receipt;

    #[test]
    fn a_method_with_nothing_to_look_at_did_not_look() {
        let had = [
            (Method::Pattern, Ok(())),
            (Method::Model, Err("no model".into())),
        ];
        let receipt = receipt(&[], &had, &[]);
        assert!(receipt.looked(&FieldKey::Title, Method::Pattern));
        assert!(!receipt.looked(&FieldKey::Title, Method::Model));
        assert!(!receipt.looked(&FieldKey::Title, Method::JsonLd));
        assert!(!receipt.looked(&FieldKey::Verdict, Method::Pattern));
    }

    #[test]
    fn a_method_that_failed_did_not_look_and_says_so_for_its_fields_only() {
        let mut receipt = receipt(&[], &[(Method::Model, Ok(()))], &[]);
        receipt.tell(Method::Model, |field| match field {
            FieldKey::Title => LookResult::Failed("no answer".into()),
            FieldKey::Salary => LookResult::Nothing,
            _ => LookResult::Skipped("not needed".into()),
        });
        assert!(!receipt.looked(&FieldKey::Title, Method::Model));
        assert!(receipt.looked(&FieldKey::Salary, Method::Model));
        assert!(!receipt.looked(&FieldKey::Company, Method::Model));
        assert_eq!(
            receipt.fields[0].looked[0].result,
            LookResult::Failed("no answer".into())
        );
    }
}
