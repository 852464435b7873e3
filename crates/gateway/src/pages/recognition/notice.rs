//! The notice before a separate consent (个人信息保护法 article 23): recipient, contact, purpose, method, kind of data.
//!
//! A consent binds the digest of exactly what the learner was shown, in the language in which it was shown. So the text is
//! no message that somebody may reword: it is a version of its own, and a test holds its digest. A new wording is a new
//! version; the old one stays, to show learners what they agreed to.

use creditbank_client::transfer::notice_digest;
use creditbank_domain::Digest32;
use creditbank_wire::v1;

use crate::options::Recipient;
use crate::words::Lang;

/// What a notice is about.
#[derive(Debug, Clone)]
pub(super) struct Facts<'a> {
    pub(super) lang: Lang,
    /// Name of this bank.
    pub(super) bank: &'a str,
    pub(super) recipient: &'a Recipient,
    pub(super) purpose: v1::TransferPurpose,
    /// Id of the programme at the recipient.
    pub(super) programme: &'a str,
    /// Kind of data: the category of the outcome, and its name.
    pub(super) category: String,
    pub(super) outcome: &'a str,
}

/// A notice: its title, and what it says under each heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) title: String,
    pub(super) parts: Vec<(String, String)>,
}

impl Notice {
    /// Version 1.
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        match facts.lang {
            Lang::Zh => chinese(facts),
            Lang::En => english(facts),
        }
    }

    /// The digest that a consent binds: of the title and every part, a line each.
    pub(super) fn digest(&self) -> Digest32 {
        let mut text = format!("{}\n", self.title);
        for (heading, part) in &self.parts {
            text.push_str(&format!("{heading}\n{part}\n"));
        }
        notice_digest(text.as_bytes())
    }
}

fn pairs<const N: usize>(parts: [(&str, String); N]) -> Vec<(String, String)> {
    parts
        .map(|(heading, part)| (heading.to_owned(), part))
        .into()
}

fn chinese(facts: &Facts<'_>) -> Notice {
    use v1::TransferPurpose as P;
    let Facts {
        bank,
        recipient,
        programme,
        category,
        outcome,
        ..
    } = facts;
    let purpose = match facts.purpose {
        P::Degree => "学历教育学分认定",
        P::NonDegree => "非学历教育学分认定",
        P::Vocational => "职业资格",
        P::Unspecified => "未说明",
    };
    let (name, origin, contact) = (&recipient.name_zh, &recipient.origin, &recipient.contact);
    Notice {
        title: "向其他学分银行提供个人信息的告知书（第 1 版）".to_owned(),
        parts: pairs([
            ("接收方", format!("{name}（{origin}）")),
            ("接收方的联系方式", contact.clone()),
            ("提供的目的", format!("将您的一项学习成果用于接收方的专业“{programme}”，用途为{purpose}。不用于其他目的。")),
            ("处理的方式", format!("接收方凭您带去的转移凭条提出申请后，{bank}把这项成果加密，直接传给接收方。接收方核验后存入您在接收方的学习档案，并按其公布的规则办理认定。")),
            ("提供的信息种类", format!("{category}一项：“{outcome}”。包括成果名称、完成日期、成绩、学分、学时、发证机构和这类成果的具体内容（如证书编号、学习或行走的地点），您在两家银行的申学码，以及证明其真实的签名和凭证。不包括您的身份证件号码，也不包括其他学习记录。")),
            ("您可以改变主意", "成果放行之前，您可以随时撤回同意，不需要说明理由。放行之后、对方认定之前，您可以要求撤回这次转移。".to_owned()),
            ("请知悉", "不同意不影响您在本行办理其他事项。同一项成果，同一种用途，在所有学分银行中只能使用一次。".to_owned()),
        ]),
    }
}

fn english(facts: &Facts<'_>) -> Notice {
    use v1::TransferPurpose as P;
    let Facts {
        bank,
        recipient,
        programme,
        category,
        outcome,
        ..
    } = facts;
    let purpose = match facts.purpose {
        P::Degree => "credit towards a degree or diploma",
        P::NonDegree => "credit outside degrees",
        P::Vocational => "a vocational qualification",
        P::Unspecified => "not said",
    };
    let (name, origin, contact) = (&recipient.name_en, &recipient.origin, &recipient.contact);
    Notice {
        title: "Notice about giving personal information to another credit bank (version 1)".to_owned(),
        parts: pairs([
            ("Recipient", format!("{name} ({origin})")),
            ("How to reach the recipient", contact.clone()),
            ("Purpose", format!("One of your outcomes is to be used for the recipient's programme “{programme}”, for {purpose}, and for nothing else.")),
            ("Method", format!("Once the recipient has asked with the ticket that you bring, {bank} encrypts the outcome and sends it to the recipient directly. The recipient verifies it, puts it into your archive there, and recognises it by its published rules.")),
            ("Kind of information", format!("{category}, one outcome: “{outcome}”. With its name, day of completion, grade, credits, hours, issuer and what outcomes of this kind have besides (such as the number of a certificate, or places of a visit or walk), your learner codes at both banks, and the signatures and proofs that show it to be genuine. Without the numbers of your identity documents, and without any other record.")),
            ("You may change your mind", "Until the outcome is released you may withdraw this consent at any time, without a reason. From then until it is recognised you may ask for it back.".to_owned()),
            ("Please note", "If you do not agree, nothing else that you do at this bank is affected. For one purpose, one outcome is used once among all credit banks.".to_owned()),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show;

    fn recipient() -> Recipient {
        Recipient {
            origin: "js.creditbank.example/log".to_owned(),
            name_zh: "江苏学分银行".to_owned(),
            name_en: "Credit Bank of Jiangsu".to_owned(),
            contact: "025-0000 0000".to_owned(),
        }
    }

    fn facts(recipient: &Recipient, lang: Lang) -> Facts<'_> {
        Facts {
            lang,
            bank: "上海学分银行",
            recipient,
            purpose: v1::TransferPurpose::Degree,
            programme: "marketing-js",
            category: "学历课程".to_owned(),
            outcome: "管理学基础",
        }
    }

    #[test]
    fn a_notice_keeps_its_words_for_ever() {
        let recipient = recipient();
        for (lang, digest) in [
            (
                Lang::Zh,
                "87947535c9d55bd19caa843b477966226b5d463c9ad50399e920392a33ed6bbd",
            ),
            (
                Lang::En,
                "5eeb4017b27ef0dd2b49c912afebcb546ad7d0b0149ea5447cb38dfbacf58bcd",
            ),
        ] {
            let notice = Notice::of(&facts(&recipient, lang));
            assert_eq!(show::hex(&notice.digest()), digest);
        }
    }

    #[test]
    fn another_fact_is_another_notice() {
        let recipient = recipient();
        let shown = facts(&recipient, Lang::Zh);
        let digest = |facts: &Facts<'_>| Notice::of(facts).digest();
        let mut all = vec![digest(&shown), digest(&facts(&recipient, Lang::En))];
        let purpose = v1::TransferPurpose::NonDegree;
        all.push(digest(&Facts {
            purpose,
            ..shown.clone()
        }));
        all.push(digest(&Facts {
            programme: "other",
            ..shown.clone()
        }));
        all.push(digest(&Facts {
            outcome: "市场调查",
            ..shown.clone()
        }));
        let mut other = recipient.clone();
        other.contact.push('1');
        all.push(digest(&facts(&other, Lang::Zh)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn a_notice_says_all_that_the_law_asks_for() {
        let recipient = recipient();
        let notice = Notice::of(&facts(&recipient, Lang::Zh));
        let headings: Vec<_> = notice
            .parts
            .iter()
            .map(|(heading, _)| heading.as_str())
            .collect();
        assert_eq!(
            headings[..5],
            [
                "接收方",
                "接收方的联系方式",
                "提供的目的",
                "处理的方式",
                "提供的信息种类"
            ]
        );
        assert!(notice.parts.iter().all(|(_, text)| !text.is_empty()));
    }
}
