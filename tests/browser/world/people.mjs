// Who is in the world. No number is of a real person: regions 3199xx were never assigned.

export const CATEGORIES = [
  "degree-course", "self-study-exam", "skill-certificate", "training", "community-course", "elder-course",
  "venue-learning", "humanities-walk", "dual-track",
];

export const INSTITUTIONS = `institution,name,role,categories,region
college-1,示例开放大学,institution,${CATEGORIES.join(";")},310104
xh-elder,徐汇老年大学（示例）,institution,elder-course,310104
sh-museum,上海博物馆（示例）,institution,venue-learning,310101
expert-1,评审专家一,reviewer,,
expert-2,评审专家二,reviewer,,
expert-3,评审专家三,reviewer,,
window,学习服务窗口,learner-agent,,
web,网上服务,gateway,,
`;

export const RULES = ["elder-and-community"];

// The first learner is who `sample` makes of this seed.
export const MADE = {
  institution: "college-1",
  categories: CATEGORIES,
  rows: 3,
  seed: 3,
  learners: {
    all: { number: "319900194001010031", called: "冯雪梅" },
    elder: { number: "319901195203180021", called: "陆慧珍" },
    child: { number: "319901198509040041", called: "何秀兰" },
    nobody: { number: "319901199806120018", called: "周明远" },
  },
};

const DAY_MS = 24 * 3600 * 1000;

// A term of classes that ended a month ago, so that they may still be deposited.
export function elder(now) {
  const day = (back) => new Date(now.getTime() - back * DAY_MS).toISOString().slice(0, 10);
  const year = day(30).slice(0, 4);
  const term = Number(day(30).slice(5, 7)) < 8 ? "spring" : "autumn";
  const row = (id, name, attended) => ({
    identity_number: MADE.learners.elder.number,
    learner_name: MADE.learners.elder.called,
    institution: "xh-elder",
    category: "elder-course",
    external_id: id,
    achievement_name: name,
    hours: "32",
    sessions_planned: "16",
    sessions_attended: String(attended),
    year,
    term,
    completed_on: day(30),
  });
  const rows = [row("E-1", "书法（隶书）", 14), row("E-2", "古诗词诵读", 12), row("E-3", "智能手机应用", 16)];
  return rows.map((it) => `${JSON.stringify(it)}\n`).join("");
}
