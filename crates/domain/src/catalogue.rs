//! The catalogue: published rule sets and admitted projects, as the fold of public statements.
//!
//! A project is proposed by its institution, looked at by reviewers, and admitted or refused by the bank under a unit
//! standard of a published rule set. Deposits of non-formal categories are admitted only under an admitted project.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::identifier::InstitutionId;
use crate::record::Statement;
use crate::rules::Period;
use crate::text::{Code, Label};
use crate::{Category, Digest32, LeafIndex, Refusal};

/// Most bytes of one document of a rule set: it is an entry of the log.
pub const DOCUMENT_BYTES_MAX: usize = 49_152;
/// Most documents of one rule set.
pub const DOCUMENTS_MAX: usize = 512;

const SET_CONTEXT: &[u8] = b"creditbank/rule-set/v1\n";

/// Whether outcomes of a category need an admitted project: all but formal education and state certificates do.
#[must_use]
pub const fn needs_project(category: Category) -> bool {
    !matches!(
        category,
        Category::DegreeCourse | Category::SelfStudyExam | Category::SkillCertificate
    )
}

/// The hash that addresses a rule set: over names and digests of its documents, in the order of the names.
#[must_use]
pub fn rule_set_hash(documents: &[(String, Digest32)]) -> Digest32 {
    let mut hash = Sha256::new().chain_update(SET_CONTEXT);
    for (name, digest) in documents {
        let len = u16::try_from(name.len()).expect("names of documents are short");
        hash.update(len.to_be_bytes());
        hash.update(name);
        hash.update(digest);
    }
    hash.finalize().into()
}

/// A published version of a rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSet {
    /// Its id, the same for all versions.
    pub id: String,
    /// Its version.
    pub version: String,
    /// See [`rule_set_hash`].
    pub hash: Digest32,
    /// Its documents by name, with their digests.
    pub documents: Vec<(String, Digest32)>,
    /// Days of application on which it decides.
    pub effective: Period,
    /// The leaf that published it.
    pub published_at: LeafIndex,
}

/// What a project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ProjectKind {
    /// 课程
    Course = 1,
    /// 证书
    Certificate = 2,
    /// 培训
    Training = 3,
    /// 场馆
    Venue = 4,
    /// 线路
    Walk = 5,
    /// 专业标准
    Programme = 6,
}

impl ProjectKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Course,
        Self::Certificate,
        Self::Training,
        Self::Venue,
        Self::Walk,
        Self::Programme,
    ];
}

/// A project as it was proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Whose.
    pub institution: InstitutionId,
    /// Its code at that institution.
    pub project: Code,
    /// What it is called.
    pub title: Label,
    /// What its outcomes are.
    pub category: Category,
    /// The rule set that holds its standard.
    pub rule_set: Digest32,
    /// The unit standard.
    pub standard: String,
    /// Its version.
    pub standard_version: String,
    /// What the project is.
    pub kind: ProjectKind,
}

/// Where a project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectState {
    /// Experts are looking at it.
    Proposed,
    /// Its outcomes are deposited; those completed after `expires_on` are not.
    Admitted {
        /// Last day of completion.
        expires_on: Option<Date>,
    },
    /// Its outcomes are not deposited for now.
    Suspended {
        /// Last day of completion.
        expires_on: Option<Date>,
    },
    /// Not admitted.
    Refused,
}

/// A project with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// As it was proposed last.
    pub proposal: Proposal,
    /// Where it stands.
    pub state: ProjectState,
    /// The leaf that proposed it.
    pub proposed_at: LeafIndex,
    /// The leaf that brought its state.
    pub decided_at: LeafIndex,
    /// Reviewers who approved.
    pub approvals: BTreeSet<InstitutionId>,
    /// Reviewers who did not.
    pub rejections: BTreeSet<InstitutionId>,
    /// The unit standards that it was ever admitted under, oldest first, each with the leaf that admitted it. A later
    /// proposal takes nothing away: what was deposited under a standard stays under it.
    pub admissions: Vec<(LeafIndex, String)>,
}

/// The fold of all statements about rule sets and projects.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    documents: HashMap<Digest32, LeafIndex>,
    sets: Vec<Arc<PublishedSet>>,
    projects: BTreeMap<(InstitutionId, Code), Arc<Project>>,
}

impl Catalogue {
    /// The published sets, oldest first.
    #[must_use]
    pub fn sets(&self) -> &[Arc<PublishedSet>] {
        &self.sets
    }

    /// A set by its hash.
    #[must_use]
    pub fn set(&self, hash: &Digest32) -> Option<&Arc<PublishedSet>> {
        self.sets.iter().find(|set| set.hash == *hash)
    }

    /// The version of a set that decides applications of `day`: the last one published that is for that day.
    #[must_use]
    pub fn in_force(&self, id: &str, day: Date) -> Option<&Arc<PublishedSet>> {
        let mut newest = self.sets.iter().rev();
        newest.find(|set| set.id == id && set.effective.contains(day))
    }

    /// The leaf that holds a document.
    #[must_use]
    pub fn document(&self, digest: &Digest32) -> Option<LeafIndex> {
        self.documents.get(digest).copied()
    }

    /// A project of an institution.
    #[must_use]
    pub fn project(&self, institution: &InstitutionId, project: &Code) -> Option<&Arc<Project>> {
        self.projects.get(&(institution.clone(), project.clone()))
    }

    /// The unit standard that an outcome deposited at `leaf` stands under: the one that its project was admitted under
    /// last before that leaf.
    #[must_use]
    pub fn standard_at(
        &self,
        institution: &InstitutionId,
        project: &Code,
        leaf: LeafIndex,
    ) -> Option<&str> {
        let admissions = &self.project(institution, project)?.admissions;
        let mut newest = admissions.iter().rev();
        let (_, standard) = newest.find(|(admitted_at, _)| *admitted_at < leaf)?;
        Some(standard)
    }

    /// All projects behind `after`, by institution and code.
    pub fn projects_after<'a>(
        &'a self,
        after: Option<&(InstitutionId, Code)>,
    ) -> impl Iterator<Item = &'a Arc<Project>> + use<'a> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
        self.projects
            .range((from, Bound::Unbounded))
            .map(|(_, project)| project)
    }

    /// The project that an outcome of `category`, completed on `day`, may be deposited under.
    pub fn admit(
        &self,
        institution: &InstitutionId,
        project: Option<&Code>,
        category: Category,
        day: Date,
    ) -> Result<Option<&Arc<Project>>, Refusal> {
        let Some(code) = project else {
            return if needs_project(category) {
                Err(Refusal::ProjectMissing)
            } else {
                Ok(None)
            };
        };
        let Some(found) = self.project(institution, code) else {
            // A code of the institution's own, which means nothing to the bank where none is needed.
            return if needs_project(category) {
                Err(Refusal::ProjectUnknown)
            } else {
                Ok(None)
            };
        };
        if found.proposal.category != category {
            return Err(Refusal::ProjectForOtherCategory {
                category: found.proposal.category,
            });
        }
        match found.state {
            ProjectState::Admitted { expires_on } if expires_on.is_none_or(|last| day <= last) => {
                Ok(Some(found))
            }
            ProjectState::Admitted { .. } => Err(Refusal::ProjectExpired),
            ProjectState::Suspended { .. } => Err(Refusal::ProjectSuspended),
            ProjectState::Proposed | ProjectState::Refused => Err(Refusal::ProjectNotAdmitted),
        }
    }

    /// Decides whether a statement can come next; those about other things can.
    pub fn check(&self, statement: &Statement) -> Result<(), Refusal> {
        match statement {
            Statement::RuleDocument { text } => {
                if text.len() > DOCUMENT_BYTES_MAX {
                    return Err(Refusal::RecordTooLarge {
                        bytes: text.len() as u64,
                        max: DOCUMENT_BYTES_MAX as u64,
                    });
                }
                match self.documents.contains_key(&digest(text)) {
                    true => Err(Refusal::DocumentExists),
                    false => Ok(()),
                }
            }
            Statement::RuleSetPublished {
                set_id,
                version,
                documents,
                ..
            } => {
                let is_named =
                    |set: &Arc<PublishedSet>| set.id == *set_id && set.version == *version;
                match self.sets.iter().any(is_named) {
                    true => Err(Refusal::RuleSetExists),
                    false => self.check_set(documents),
                }
            }
            Statement::ProjectProposed(proposal) => self.check_proposal(proposal),
            Statement::ProjectReviewed {
                reviewer,
                institution,
                project,
                ..
            } => {
                let project = self.proposed(institution, project)?;
                match project.approvals.contains(reviewer) || project.rejections.contains(reviewer)
                {
                    true => Err(Refusal::AlreadyVoted),
                    false => Ok(()),
                }
            }
            Statement::ProjectAdmitted {
                institution,
                project,
                panel,
                ..
            } => {
                let project = self.proposed(institution, project)?;
                let (approvals, rejections) = (project.approvals.len(), project.rejections.len());
                if approvals < usize::from(*panel) {
                    return Err(Refusal::PanelTooSmall {
                        needed: u32::from(*panel),
                    });
                }
                match approvals > rejections {
                    true => Ok(()),
                    false => Err(Refusal::PanelRejected),
                }
            }
            Statement::ProjectRefused {
                institution,
                project,
            } => self.proposed(institution, project).map(|_| ()),
            Statement::ProjectSuspended {
                institution,
                project,
                suspended,
            } => match (self.known(institution, project)?.state, suspended) {
                (ProjectState::Admitted { .. }, true) | (ProjectState::Suspended { .. }, false) => {
                    Ok(())
                }
                _ => Err(Refusal::ProjectNotAdmitted),
            },
            _ => Ok(()),
        }
    }

    /// Folds the entry at `index`; those about other things change nothing.
    pub fn apply(&mut self, index: LeafIndex, statement: &Statement) {
        match statement {
            Statement::RuleDocument { text } => {
                self.documents.insert(digest(text), index);
            }
            Statement::RuleSetPublished {
                set_id,
                version,
                documents,
                effective,
            } => self.sets.push(Arc::new(PublishedSet {
                id: set_id.clone(),
                version: version.clone(),
                hash: rule_set_hash(documents),
                documents: documents.clone(),
                effective: *effective,
                published_at: index,
            })),
            Statement::ProjectProposed(proposal) => {
                let key = (proposal.institution.clone(), proposal.project.clone());
                let earlier = self.projects.get(&key);
                let project = Project {
                    admissions: earlier.map_or_else(Vec::new, |it| it.admissions.clone()),
                    proposal: Proposal::clone(proposal),
                    state: ProjectState::Proposed,
                    proposed_at: index,
                    decided_at: index,
                    approvals: BTreeSet::new(),
                    rejections: BTreeSet::new(),
                };
                self.projects.insert(key, Arc::new(project));
            }
            Statement::ProjectReviewed {
                reviewer,
                institution,
                project,
                approve,
            } => self.change(institution, project, |it| {
                let votes = if *approve {
                    &mut it.approvals
                } else {
                    &mut it.rejections
                };
                votes.insert(reviewer.clone());
            }),
            Statement::ProjectAdmitted {
                institution,
                project,
                expires_on,
                ..
            } => self.change(institution, project, |it| {
                it.decided_at = index;
                it.admissions.push((index, it.proposal.standard.clone()));
                it.state = ProjectState::Admitted {
                    expires_on: *expires_on,
                };
            }),
            Statement::ProjectRefused {
                institution,
                project,
            } => self.change(institution, project, |it| {
                it.decided_at = index;
                it.state = ProjectState::Refused;
            }),
            Statement::ProjectSuspended {
                institution,
                project,
                suspended,
            } => self.change(institution, project, |it| {
                it.decided_at = index;
                it.state = match (it.state, suspended) {
                    (ProjectState::Admitted { expires_on }, true) => {
                        ProjectState::Suspended { expires_on }
                    }
                    (ProjectState::Suspended { expires_on }, false) => {
                        ProjectState::Admitted { expires_on }
                    }
                    (state, _) => state,
                };
            }),
            _ => {}
        }
    }

    fn check_set(&self, documents: &[(String, Digest32)]) -> Result<(), Refusal> {
        if documents.is_empty() || documents.len() > DOCUMENTS_MAX {
            return Err(Refusal::OutOfRange {
                min: 1,
                max: DOCUMENTS_MAX as i64,
            });
        }
        if !documents.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(Refusal::NotAscending);
        }
        if !documents
            .iter()
            .all(|(_, digest)| self.documents.contains_key(digest))
        {
            return Err(Refusal::DocumentMissing);
        }
        match self.set(&rule_set_hash(documents)) {
            Some(_) => Err(Refusal::RuleSetExists),
            None => Ok(()),
        }
    }

    fn check_proposal(&self, proposal: &Proposal) -> Result<(), Refusal> {
        if self.set(&proposal.rule_set).is_none() {
            return Err(Refusal::RuleSetUnknown);
        }
        match self.project(&proposal.institution, &proposal.project) {
            Some(project) if project.state == ProjectState::Proposed => Err(Refusal::ProjectExists),
            // Proposed again as it is, it would only stop its own deposits.
            Some(project)
                if project.proposal == *proposal && project.state != ProjectState::Refused =>
            {
                Err(Refusal::ProjectExists)
            }
            _ => Ok(()),
        }
    }

    fn known(&self, institution: &InstitutionId, project: &Code) -> Result<&Project, Refusal> {
        let found = self.project(institution, project);
        found.map(|found| &**found).ok_or(Refusal::ProjectUnknown)
    }

    fn proposed(&self, institution: &InstitutionId, project: &Code) -> Result<&Project, Refusal> {
        let found = self.known(institution, project)?;
        match found.state {
            ProjectState::Proposed => Ok(found),
            _ => Err(Refusal::ProjectDecided),
        }
    }

    fn change(
        &mut self,
        institution: &InstitutionId,
        project: &Code,
        edit: impl FnOnce(&mut Project),
    ) {
        let key = (institution.clone(), project.clone());
        if let Some(found) = self.projects.get_mut(&key) {
            edit(Arc::make_mut(found));
        }
    }
}

fn digest(text: &str) -> Digest32 {
    Sha256::digest(text).into()
}
