// Who is in the world, and what they have learned. No number is of a real person: regions 3199xx were never assigned.

// As long as a name may be, and half of it without a place to break.
export const LONG_NAME = "示例终身教育服务与学习成果认定联合促进中心".repeat(5) + "W".repeat(95);

export const INSTITUTIONS = `institution,name,role,categories,region
college,示例开放大学,institution,degree-course;training;community-course;elder-course;humanities-walk;dual-track,310104
exams,示例教育考试院,institution,self-study-exam;skill-certificate,310104
museum,示例博物馆,institution,venue-learning,310101
expert-1,评审专家一,reviewer,,
expert-2,评审专家二,reviewer,,
expert-3,评审专家三,reviewer,,
window,学习服务窗口,learner-agent,,
web,网上服务,gateway,,
long,${LONG_NAME},institution,training,310104
`;

export const REVIEWERS = ["expert-1", "expert-2", "expert-3"];

export const RULES = "elder-and-community";

// What is admitted under which unit standard of the rule set.
export const PROJECTS = [
  { institution: "college", id: "classes", title: "老年大学系列课程", category: "elder-course", standard: "elder-course" },
  { institution: "college", id: "streets", title: "社区系列课程", category: "community-course", standard: "community-course" },
  { institution: "college", id: "walks", title: "人文行走", category: "humanities-walk", standard: "humanities-walk" },
  { institution: "college", id: "skills", title: "职业培训", category: "training", standard: "training" },
  { institution: "college", id: "workplace", title: "岗位学习", category: "dual-track", standard: "dual-track" },
  { institution: "museum", id: "visits", title: "场馆导览", category: "venue-learning", standard: "venue-learning" },
];

export const LEARNERS = {
  all: { number: "319901198509040041", name: "何秀兰" },
  elder: { number: "319901195203180021", name: "陆慧珍" },
  child: { number: "319901199806120018", name: "周明远" },
  leaver: { number: "319901197603150031", name: "沈知秋" },
};

const DAY_MS = 24 * 3600 * 1000;
const DIGEST = "0efeae27b23b3913e39a3a0f9be027b9a6189cfe45d1b4d47078d3d30b8ecb65";

// Records of one learner in every category, and an elder's term of classes; all of them so young that they may be deposited.
export function outcomes(now) {
  const day = (back) => new Date(now.getTime() - back * DAY_MS).toISOString().slice(0, 10);
  const attended = (back) => ({
    sessions_planned: "16",
    sessions_attended: "14",
    hours: "32",
    completed_on: day(back),
    evidence: `attendance ${DIGEST}`,
  });
  const term = (back) => ({ year: day(back).slice(0, 4), term: Number(day(back).slice(5, 7)) < 8 ? "spring" : "autumn" });
  const college = (category, project, rest) => ({ institution: "college", category, project, ...rest });
  const walked = (back) => ["09:00", "09:30", "10:05", "10:40"].map((at, i) => `HF-0${i + 1}@${day(back)}T${at}:00`).join(";");
  const all = [
    college("degree-course", undefined, { achievement_name: "城市轨道交通概论", achievement_code: "0701", credits: "2.5", hours: "45",
      grade: "87.5", form: "30", stage: "20", subject: "社会工作", year: day(400).slice(0, 4), term: "51", completed_on: day(400) }),
    { institution: "exams", category: "self-study-exam", achievement_name: "高等数学（工本）", course_code: "00023", credits: "4",
      grade: "71", province: "31", session: day(200).slice(0, 7), completed_on: day(190) },
    { institution: "exams", category: "skill-certificate", achievement_name: "养老护理员职业技能等级证书", occupation: "4-10-01-05",
      occupation_name: "养老护理员", level: "intermediate", grade: "合格", institution_name: "示例教育考试院", completed_on: day(300) },
    college("training", "skills", { achievement_name: "垃圾分类指导员培训", grade: "合格", has_certificate: "是", hours: "56",
      institution_name: "示例开放大学", evidence: `certificate ${DIGEST}`, completed_on: day(150) }),
    college("community-course", "streets", { achievement_name: "太极拳（二十四式）", region: "310104", site: "湖南街道社区学校",
      ...attended(120) }),
    college("elder-course", "classes", { achievement_name: "国画·花鸟", grade: "良好", credits: "1", ...term(100), ...attended(100) }),
    { institution: "museum", category: "venue-learning", project: "visits", achievement_name: "青铜器专题导览", hours: "4",
      venue: "示例博物馆", activity: "青铜器专题导览", minutes: "180", completed_on: day(60) },
    college("humanities-walk", "walks", { achievement_name: "衡复风貌行走", hours: "2", route: "HF", points: walked(30),
      completed_on: day(30) }),
    college("dual-track", "workplace", { achievement_name: "老年照护岗位学习", hours: "480", enterprise_name: "示例护理院",
      enterprise_code: "91350100M000100Y43", enterprise_institution: "care-home", enterprise_mentor: "M0107",
      college_institution: "college", college_mentor: "T0042", evidence: `attendance ${DIGEST}`, completed_on: day(90) }),
  ];
  const classes = ["书法（隶书）", "古诗词诵读", "智能手机应用"];
  const elder = classes.map((name) => college("elder-course", "classes", { achievement_name: name, ...term(100), ...attended(100) }));
  return [...rowsOf(LEARNERS.all, all), ...rowsOf(LEARNERS.elder, elder)];
}

// Twelve students who ended a course in the year before: enough for a yearbook, and not one more than is shown of them.
export function students(year) {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const number = (order) => {
    const digits = `31990119${50 + order}0101${100 + order}`;
    return digits + "10X98765432"[weights.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0) % 11];
  };
  const course = { institution: "college", category: "degree-course", achievement_name: "中国文化概论", credits: "2", hours: "32", grade: "80",
    form: "30", stage: "20", subject: "汉语言文学", year: String(year), term: "50", completed_on: `${year}-06-30` };
  return Array.from({ length: 12 }, (_, order) => rowsOf({ number: number(order), name: `学员${order + 1}` }, [course])).flat();
}

function rowsOf({ number, name }, list) {
  const row = (it, i) => ({ identity_number: number, learner_name: name, external_id: `${number.slice(-4)}-${i}`, ...it });
  return list.map(row);
}
