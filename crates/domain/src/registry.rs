//! The registry: institutions, keys and permitted categories as the fold of the bank's statements.
//!
//! Validity is a range of log indices, never a time of day, so everybody who has the log folds the same registry.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::identifier::InstitutionId;
use crate::reconcile::Periods;
use crate::record::{InstitutionProfile, KeyId, KeyPurpose, LeafIndex, PublicKey, Role, Statement};
use crate::{Category, Refusal};

/// Most keys one institution may ever have had.
pub const KEYS_PER_INSTITUTION_MAX: u32 = 256;

/// Short name of an institution inside one ledger: its place in the order of admission. The bank is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionNumber(pub u32);

/// An institution with its history.
#[derive(Debug, Clone)]
pub struct Institution {
    /// Its place in the order of admission.
    pub number: InstitutionNumber,
    /// Who it is.
    pub profile: InstitutionProfile,
    /// The leaf that admitted it.
    pub admitted_at: LeafIndex,
    /// Whether it is suspended now.
    pub suspended: bool,
    /// Every key it ever had, oldest first.
    pub keys: Vec<KeyHistory>,
    /// Every set of categories it ever had, oldest first; the last one holds.
    pub categories: Vec<(LeafIndex, Vec<Category>)>,
}

/// A key and the log indices in which it signs.
#[derive(Debug, Clone)]
pub struct KeyHistory {
    /// The key's id.
    pub id: KeyId,
    /// The key.
    pub key: PublicKey,
    /// First leaf it may sign.
    pub valid_from: LeafIndex,
    /// First leaf it may not sign any more.
    pub valid_until: Option<LeafIndex>,
    /// First doubtful leaf, when it was compromised.
    pub doubtful_from: Option<LeafIndex>,
}

impl KeyHistory {
    /// Whether the key signs a leaf at `index`.
    pub fn is_valid_at(&self, index: LeafIndex) -> bool {
        self.valid_from <= index && self.valid_until.is_none_or(|until| index < until)
    }

    /// Whether a leaf that it signed at `index` is in doubt.
    pub fn is_doubtful_at(&self, index: LeafIndex) -> bool {
        self.doubtful_from.is_some_and(|from| from <= index)
    }
}

impl Institution {
    /// Whether it may deposit `category` now.
    pub fn may_deposit(&self, category: Category) -> bool {
        self.categories
            .last()
            .is_some_and(|(_, set)| set.contains(&category))
    }

    /// Whether any of its keys was ever compromised; only then can a record be disputed.
    pub fn has_doubtful_key(&self) -> bool {
        self.keys.iter().any(|key| key.doubtful_from.is_some())
    }
}

/// The fold of all statements up to some size of the log.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    origin: String,
    by_number: Vec<Arc<Institution>>,
    by_id: BTreeMap<InstitutionId, InstitutionNumber>,
    by_key: HashMap<KeyId, InstitutionNumber>,
    erasures: u64,
    catalogue: Arc<Catalogue>,
    periods: Arc<Periods>,
}

impl Registry {
    /// The log's name; empty before its first entry.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// An institution by its resource id.
    pub fn institution(&self, id: &str) -> Option<&Arc<Institution>> {
        self.by_id
            .get(id)
            .and_then(|number| self.by_number(*number))
    }

    /// An institution by its number.
    pub fn by_number(&self, number: InstitutionNumber) -> Option<&Arc<Institution>> {
        self.by_number.get(number.0 as usize)
    }

    /// All institutions with an id after `after`, ascending.
    pub fn after<'a>(
        &'a self,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Institution>> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_id
            .range::<str, _>((from, Bound::Unbounded))
            .filter_map(|(_, number)| self.by_number(*number))
    }

    /// The institution that a reviewer belongs to: the one of the same unified social credit code; where none is
    /// registered, the first reviewer who has it, so that one body is one; without a code, itself.
    pub fn affiliation(&self, reviewer: InstitutionNumber) -> InstitutionNumber {
        let uscc_of = |it: &Arc<Institution>| it.profile.uscc;
        let Some(uscc) = self.by_number(reviewer).and_then(uscc_of) else {
            return reviewer;
        };
        let of_it = || {
            let all = self.by_number.iter();
            all.filter(|it| it.profile.uscc.as_ref() == Some(&uscc))
        };
        let found = of_it().find(|it| it.profile.role == Role::Institution);
        let found = found.or_else(|| of_it().next());
        found.map_or(reviewer, |it| it.number)
    }

    /// How many institutions there are, the bank included.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether the log is not open yet.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// Published rule sets and projects.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// Periods that were stated and closed with other banks.
    pub fn periods(&self) -> &Arc<Periods> {
        &self.periods
    }

    /// How many learners were erased.
    pub fn erasures(&self) -> u64 {
        self.erasures
    }

    /// A key and its institution.
    pub fn key(&self, id: &KeyId) -> Option<(&Arc<Institution>, &KeyHistory)> {
        let institution = self.by_number(*self.by_key.get(id)?)?;
        institution
            .keys
            .iter()
            .find(|history| history.id == *id)
            .map(|history| (institution, history))
    }

    /// Whether `key` of `issuer` may sign or authenticate at `index`: the one rule for both purposes.
    pub fn admit_key(
        &self,
        issuer: &str,
        key: &KeyId,
        purpose: KeyPurpose,
        index: LeafIndex,
    ) -> Result<(&Arc<Institution>, &KeyHistory), Refusal> {
        let institution = self.institution(issuer).ok_or(Refusal::IssuerUnknown)?;
        let (owner, history) = self.key(key).ok_or(Refusal::KeyUnknown)?;
        if owner.number != institution.number {
            return Err(Refusal::KeyUnknown);
        }
        if history.key.purpose != purpose {
            return Err(Refusal::KeyWrongPurpose);
        }
        if !history.is_valid_at(index) {
            return Err(Refusal::KeyRevoked);
        }
        if institution.suspended {
            return Err(Refusal::IssuerSuspended);
        }
        Ok((institution, history))
    }

    /// The keys of an institution that [`admit_key`](Self::admit_key) admits for `purpose` at `index`; none if it is
    /// unknown or suspended. While one key takes over from another, there are two.
    pub fn keys_of<'a>(
        &'a self,
        institution: &'a str,
        purpose: KeyPurpose,
        index: LeafIndex,
    ) -> impl Iterator<Item = &'a PublicKey> {
        let keys = self.institution(institution).map(|it| &it.keys[..]);
        let admitted =
            move |key: &&KeyHistory| self.admit_key(institution, &key.id, purpose, index).is_ok();
        keys.unwrap_or_default()
            .iter()
            .filter(admitted)
            .map(|history| &history.key)
    }

    /// Decides whether a statement can be the entry at `index`, without applying it.
    pub fn check(&self, index: LeafIndex, statement: &Statement) -> Result<(), Refusal> {
        match statement {
            Statement::LogOpened { keys, .. } => {
                if !self.is_empty() || index.0 != 0 {
                    return Err(Refusal::KindNotAllowed);
                }
                self.check_new_keys(Role::Operator, 0, keys)
            }
            Statement::InstitutionAdmitted { profile, keys, .. } => {
                if self.by_id.contains_key(&profile.id) {
                    return Err(Refusal::InstitutionExists);
                }
                self.check_new_keys(profile.role, 0, keys)
            }
            Statement::KeyAdmitted { institution, key } => {
                let institution = self.known(institution)?;
                let (role, keys) = (institution.profile.role, institution.keys.len());
                self.check_new_keys(role, keys, std::slice::from_ref(key))
            }
            Statement::KeyRevoked {
                institution,
                key_id,
                doubtful_from,
            } => {
                let history = self
                    .known(institution)?
                    .keys
                    .iter()
                    .find(|history| history.id == *key_id);
                let history = history.ok_or(Refusal::KeyUnknown)?;
                if history.valid_until.is_some() {
                    return Err(Refusal::KeyRevoked);
                }
                match doubtful_from {
                    Some(from) if *from > index => Err(Refusal::IndexOutOfRange { size: index.0 }),
                    _ => Ok(()),
                }
            }
            Statement::CategoriesPermitted { institution, .. }
            | Statement::InstitutionSuspended { institution, .. } => {
                self.known(institution).map(|_| ())
            }
            Statement::LearnerErased { .. } => Ok(()),
            Statement::PeriodStated(_) | Statement::PeriodClosed(_) => {
                self.periods.check(&self.origin, statement)
            }
            other => self.check_catalogue(other),
        }
    }

    /// Folds the entry at `index`. Call [`check`](Self::check) first: a statement in the log was decided already.
    pub fn apply(&mut self, index: LeafIndex, statement: &Statement) {
        match statement {
            Statement::LogOpened { origin, keys } => {
                self.origin.clone_from(origin);
                let profile = InstitutionProfile {
                    id: InstitutionId::bank(),
                    display_name: origin.clone(),
                    role: Role::Operator,
                    uscc: None,
                    school_code: None,
                    region: None,
                };
                self.admit(index, profile, keys, Vec::new());
            }
            Statement::InstitutionAdmitted {
                profile,
                keys,
                categories,
            } => {
                self.admit(index, profile.clone(), keys, categories.clone());
            }
            Statement::KeyAdmitted { institution, key } => {
                let from = LeafIndex(index.0 + 1);
                let number = self.change(institution, |it| {
                    it.keys.push(KeyHistory::new(key.clone(), from))
                });
                self.by_key.insert(key.id(), number);
            }
            Statement::KeyRevoked {
                institution,
                key_id,
                doubtful_from,
            } => {
                self.change(institution, |it| {
                    for history in it.keys.iter_mut().filter(|history| history.id == *key_id) {
                        history.valid_until = Some(index);
                        history.doubtful_from = *doubtful_from;
                    }
                });
            }
            Statement::CategoriesPermitted {
                institution,
                categories,
            } => {
                self.change(institution, |it| {
                    it.categories.push((index, categories.clone()))
                });
            }
            Statement::InstitutionSuspended {
                institution,
                suspended,
            } => {
                self.change(institution, |it| it.suspended = *suspended);
            }
            Statement::LearnerErased { .. } => self.erasures += 1,
            Statement::PeriodStated(_) | Statement::PeriodClosed(_) => {
                Arc::make_mut(&mut self.periods).apply(&self.origin, index, statement);
            }
            other => Arc::make_mut(&mut self.catalogue).apply(index, other),
        }
    }

    /// A declaration is made by somebody of the right role; the rest is the catalogue's.
    fn check_catalogue(&self, statement: &Statement) -> Result<(), Refusal> {
        let role = |id: &InstitutionId| self.known(id).map(|it| it.profile.role);
        match statement {
            Statement::ProjectProposed(proposal)
                if role(&proposal.institution)? != Role::Institution =>
            {
                return Err(Refusal::PermissionDenied);
            }
            Statement::ProjectReviewed {
                reviewer,
                institution,
                ..
            } => {
                if role(reviewer)? != Role::Reviewer {
                    return Err(Refusal::PermissionDenied);
                }
                let (reviewer, owner) = (self.known(reviewer)?, self.known(institution)?);
                if self.affiliation(reviewer.number) == owner.number {
                    return Err(Refusal::PanelConflict);
                }
            }
            _ => {}
        }
        self.catalogue.check(statement)
    }

    fn known(&self, id: &InstitutionId) -> Result<&Arc<Institution>, Refusal> {
        self.institution(id.as_str()).ok_or(Refusal::IssuerUnknown)
    }

    /// A key belongs to one institution for ever, so that a signature names one signer.
    fn check_new_keys(
        &self,
        role: Role,
        existing: usize,
        keys: &[PublicKey],
    ) -> Result<(), Refusal> {
        let is_bank = matches!(role, Role::Operator | Role::PeerBank);
        if !is_bank && keys.iter().any(|key| key.purpose.is_of_banks()) {
            return Err(Refusal::KeyWrongPurpose);
        }
        if keys.is_empty() {
            return Err(Refusal::TooFew { min: 1 });
        }
        if existing + keys.len() > KEYS_PER_INSTITUTION_MAX as usize {
            return Err(Refusal::TooMany {
                max: KEYS_PER_INSTITUTION_MAX,
            });
        }
        let repeated = keys
            .iter()
            .enumerate()
            .any(|(i, key)| keys[..i].iter().any(|other| other.bytes == key.bytes));
        if repeated || keys.iter().any(|key| self.by_key.contains_key(&key.id())) {
            return Err(Refusal::KeyExists);
        }
        Ok(())
    }

    fn admit(
        &mut self,
        index: LeafIndex,
        profile: InstitutionProfile,
        keys: &[PublicKey],
        categories: Vec<Category>,
    ) {
        let number = InstitutionNumber(
            u32::try_from(self.by_number.len()).expect("fewer than 4 billion institutions"),
        );
        let from = LeafIndex(index.0 + 1);
        // The bank signs its own first entry, before which no key can exist.
        let from = if index.0 == 0 { index } else { from };
        self.by_id.insert(profile.id.clone(), number);
        self.by_key
            .extend(keys.iter().map(|key| (key.id(), number)));
        let keys = keys
            .iter()
            .map(|key| KeyHistory::new(key.clone(), from))
            .collect();
        let categories = vec![(index, categories)];
        let institution = Institution {
            number,
            profile,
            admitted_at: index,
            suspended: false,
            keys,
            categories,
        };
        self.by_number.push(Arc::new(institution));
    }

    fn change(
        &mut self,
        id: &InstitutionId,
        edit: impl FnOnce(&mut Institution),
    ) -> InstitutionNumber {
        let number = self.by_id[id];
        edit(Arc::make_mut(&mut self.by_number[number.0 as usize]));
        number
    }
}

impl KeyHistory {
    fn new(key: PublicKey, valid_from: LeafIndex) -> Self {
        Self {
            id: key.id(),
            key,
            valid_from,
            valid_until: None,
            doubtful_from: None,
        }
    }
}
