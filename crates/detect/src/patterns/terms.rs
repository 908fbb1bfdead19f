//! Skills and benefits by vocabulary, and the description.

use super::{
    Found,
    phrases::Phrases,
    text::{Doc, floor, trim},
};
use ghostlight_model::{Confidence, FieldKey, FieldValue};
use std::{ops::Range, sync::LazyLock};

/// Items handed over for one posting, in order of appearance.
const ITEMS_MAX: usize = 25;
/// A description is kept up to 32 kB; what follows is cut off. The longest seen has 25 kB.
const DESCRIPTION_BYTES_MAX: usize = 32 * 1024;

/// Confidence in thousandths.
mod sure {
    /// Five skills or more: the list as a whole is right.
    pub const SKILLS: u16 = 780;
    pub const FEW_SKILLS: u16 = 600;
    pub const BENEFITS: u16 = 780;
    pub const FEW_BENEFITS: u16 = 600;
    /// Title, text below it.
    pub const DESCRIPTION: u16 = 790;
    pub const SHORT_DESCRIPTION: u16 = 400;
}

/// A skill as written in a text, and the name it is listed by. Names in capitals at the end of
/// `CASED` are common words in small letters and count only as written there.
#[rustfmt::skip]
static SKILLS: LazyLock<Phrases<&'static str>> = LazyLock::new(|| {
    Phrases::new(&[
        // Languages
        ("python", "Python"), ("java", "Java"), ("javascript", "JavaScript"), ("typescript", "TypeScript"), ("c++", "C++"), ("c#", "C#"), (".net", ".NET"), ("asp.net", "ASP.NET"), ("golang", "Go"), ("go", "Go"), ("rust", "Rust"), ("ruby", "Ruby"), ("ruby on rails", "Ruby on Rails"), ("rails", "Ruby on Rails"), ("php", "PHP"), ("laravel", "Laravel"), ("symfony", "Symfony"), ("scala", "Scala"), ("kotlin", "Kotlin"), ("swift", "Swift"), ("objective-c", "Objective-C"), ("elixir", "Elixir"), ("erlang", "Erlang"), ("haskell", "Haskell"), ("clojure", "Clojure"), ("ocaml", "OCaml"), ("f#", "F#"), ("perl", "Perl"), ("lua", "Lua"), ("matlab", "MATLAB"), ("julia", "Julia"), ("r", "R"), ("c", "C"), ("dart", "Dart"), ("flutter", "Flutter"), ("solidity", "Solidity"), ("vba", "VBA"), ("cobol", "COBOL"), ("fortran", "Fortran"), ("assembly", "Assembly"), ("bash", "Bash"), ("shell scripting", "Shell scripting"), ("powershell", "PowerShell"), ("groovy", "Groovy"), ("sql", "SQL"), ("t-sql", "T-SQL"), ("pl/sql", "PL/SQL"), ("html", "HTML"), ("html5", "HTML"), ("css", "CSS"), ("css3", "CSS"), ("sass", "Sass"), ("webassembly", "WebAssembly"), ("zig", "Zig"), ("verilog", "Verilog"), ("systemverilog", "SystemVerilog"), ("vhdl", "VHDL"), ("cuda", "CUDA"),
        // Web and mobile
        ("react", "React"), ("react.js", "React"), ("reactjs", "React"), ("react native", "React Native"), ("redux", "Redux"), ("next.js", "Next.js"), ("nextjs", "Next.js"), ("vue", "Vue"), ("vue.js", "Vue"), ("vuejs", "Vue"), ("nuxt", "Nuxt"), ("angular", "Angular"), ("angularjs", "Angular"), ("svelte", "Svelte"), ("ember", "Ember"), ("jquery", "jQuery"), ("backbone", "Backbone"), ("node.js", "Node.js"), ("nodejs", "Node.js"), ("node", "Node.js"), ("express.js", "Express"), ("nestjs", "NestJS"), ("deno", "Deno"), ("graphql", "GraphQL"), ("rest apis", "REST"), ("rest api", "REST"), ("restful", "REST"), ("grpc", "gRPC"), ("websockets", "WebSocket"), ("webpack", "webpack"), ("vite", "Vite"), ("tailwind", "Tailwind CSS"), ("bootstrap", "Bootstrap"), ("storybook", "Storybook"), ("django", "Django"), ("flask", "Flask"), ("fastapi", "FastAPI"), ("spring boot", "Spring Boot"), ("spring", "Spring"), ("hibernate", "Hibernate"), ("ios", "iOS"), ("swiftui", "SwiftUI"), ("uikit", "UIKit"), ("android", "Android"), ("jetpack compose", "Jetpack Compose"), ("wordpress", "WordPress"), ("drupal", "Drupal"), ("shopify", "Shopify"), ("magento", "Magento"), ("webgl", "WebGL"), ("three.js", "Three.js"), ("d3", "D3"), ("electron", "Electron"), ("tauri", "Tauri"), ("unity", "Unity"), ("unreal engine", "Unreal Engine"), ("unreal", "Unreal Engine"),
        // Data stores and streams
        ("postgresql", "PostgreSQL"), ("postgres", "PostgreSQL"), ("mysql", "MySQL"), ("mariadb", "MariaDB"), ("sqlite", "SQLite"), ("sql server", "SQL Server"), ("oracle", "Oracle"), ("mongodb", "MongoDB"), ("mongo", "MongoDB"), ("redis", "Redis"), ("cassandra", "Cassandra"), ("dynamodb", "DynamoDB"), ("elasticsearch", "Elasticsearch"), ("opensearch", "OpenSearch"), ("solr", "Solr"), ("neo4j", "Neo4j"), ("clickhouse", "ClickHouse"), ("cockroachdb", "CockroachDB"), ("snowflake", "Snowflake"), ("bigquery", "BigQuery"), ("redshift", "Redshift"), ("databricks", "Databricks"), ("spark", "Spark"), ("pyspark", "PySpark"), ("hadoop", "Hadoop"), ("hive", "Hive"), ("presto", "Presto"), ("trino", "Trino"), ("kafka", "Kafka"), ("rabbitmq", "RabbitMQ"), ("nats", "NATS"), ("flink", "Flink"), ("beam", "Beam"), ("airflow", "Airflow"), ("dagster", "Dagster"), ("prefect", "Prefect"), ("dbt", "dbt"), ("fivetran", "Fivetran"), ("etl", "ETL"), ("elt", "ELT"), ("nosql", "NoSQL"), ("data warehouse", "Data warehousing"), ("data warehousing", "Data warehousing"), ("data modeling", "Data modeling"), ("data pipelines", "Data pipelines"), ("pinecone", "Pinecone"), ("firebase", "Firebase"), ("supabase", "Supabase"), ("memcached", "Memcached"), ("iceberg", "Iceberg"), ("delta lake", "Delta Lake"),
        // Cloud and operations
        ("aws", "AWS"), ("amazon web services", "AWS"), ("gcp", "Google Cloud"), ("google cloud", "Google Cloud"), ("azure", "Azure"), ("kubernetes", "Kubernetes"), ("k8s", "Kubernetes"), ("docker", "Docker"), ("terraform", "Terraform"), ("pulumi", "Pulumi"), ("ansible", "Ansible"), ("puppet", "Puppet"), ("chef", "Chef"), ("helm", "Helm"), ("istio", "Istio"), ("argo cd", "Argo CD"), ("argocd", "Argo CD"), ("jenkins", "Jenkins"), ("github actions", "GitHub Actions"), ("gitlab ci", "GitLab CI"), ("gitlab", "GitLab"), ("circleci", "CircleCI"), ("ci/cd", "CI/CD"), ("git", "Git"), ("github", "GitHub"), ("linux", "Linux"), ("unix", "Unix"), ("windows server", "Windows Server"), ("active directory", "Active Directory"), ("nginx", "nginx"), ("prometheus", "Prometheus"), ("grafana", "Grafana"), ("datadog", "Datadog"), ("splunk", "Splunk"), ("new relic", "New Relic"), ("opentelemetry", "OpenTelemetry"), ("cloudformation", "CloudFormation"), ("lambda", "AWS Lambda"), ("ec2", "EC2"), ("s3", "S3"), ("ecs", "ECS"), ("eks", "EKS"), ("serverless", "Serverless"), ("microservices", "Microservices"), ("distributed systems", "Distributed systems"), ("devops", "DevOps"), ("site reliability", "Site reliability"), ("infrastructure as code", "Infrastructure as code"), ("vmware", "VMware"), ("tcp/ip", "TCP/IP"), ("dns", "DNS"), ("vpn", "VPN"), ("okta", "Okta"), ("jamf", "Jamf"), ("intune", "Intune"), ("bazel", "Bazel"),
        // Machine learning and analysis
        ("machine learning", "Machine learning"), ("deep learning", "Deep learning"), ("pytorch", "PyTorch"), ("tensorflow", "TensorFlow"), ("keras", "Keras"), ("jax", "JAX"), ("scikit-learn", "scikit-learn"), ("pandas", "pandas"), ("numpy", "NumPy"), ("nlp", "NLP"), ("natural language processing", "NLP"), ("computer vision", "Computer vision"), ("llm", "LLM"), ("llms", "LLM"), ("large language models", "LLM"), ("langchain", "LangChain"), ("rag", "RAG"), ("reinforcement learning", "Reinforcement learning"), ("mlops", "MLOps"), ("hugging face", "Hugging Face"), ("openai", "OpenAI"), ("prompt engineering", "Prompt engineering"), ("generative ai", "Generative AI"), ("statistics", "Statistics"), ("a/b testing", "A/B testing"), ("data science", "Data science"), ("data analysis", "Data analysis"), ("data visualization", "Data visualization"), ("tableau", "Tableau"), ("looker", "Looker"), ("power bi", "Power BI"), ("metabase", "Metabase"), ("excel", "Excel"), ("google sheets", "Google Sheets"), ("sas", "SAS"), ("spss", "SPSS"), ("stata", "Stata"), ("mixpanel", "Mixpanel"), ("amplitude", "Amplitude"), ("google analytics", "Google Analytics"), ("robotics", "Robotics"), ("ros", "ROS"), ("opencv", "OpenCV"), ("slam", "SLAM"),
        // Security
        ("penetration testing", "Penetration testing"), ("siem", "SIEM"), ("soc 2", "SOC 2"), ("iso 27001", "ISO 27001"), ("gdpr", "GDPR"), ("hipaa", "HIPAA"), ("cissp", "CISSP"), ("cryptography", "Cryptography"), ("iam", "IAM"), ("threat modeling", "Threat modeling"), ("incident response", "Incident response"), ("vulnerability management", "Vulnerability management"), ("nist", "NIST"), ("owasp", "OWASP"), ("application security", "Application security"),
        // Quality and method
        ("selenium", "Selenium"), ("cypress", "Cypress"), ("playwright", "Playwright"), ("jest", "Jest"), ("pytest", "pytest"), ("junit", "JUnit"), ("unit testing", "Unit testing"), ("test automation", "Test automation"), ("tdd", "TDD"), ("agile", "Agile"), ("scrum", "Scrum"), ("kanban", "Kanban"), ("jira", "Jira"), ("confluence", "Confluence"), ("asana", "Asana"), ("notion", "Notion"), ("slack", "Slack"), ("six sigma", "Six Sigma"), ("lean", "Lean"), ("pmp", "PMP"), ("prince2", "PRINCE2"), ("itil", "ITIL"), ("project management", "Project management"), ("product management", "Product management"), ("program management", "Program management"), ("stakeholder management", "Stakeholder management"), ("change management", "Change management"), ("risk management", "Risk management"),
        // Design and media
        ("figma", "Figma"), ("sketch", "Sketch"), ("adobe creative suite", "Adobe Creative Suite"), ("adobe creative cloud", "Adobe Creative Cloud"), ("photoshop", "Photoshop"), ("illustrator", "Illustrator"), ("indesign", "InDesign"), ("after effects", "After Effects"), ("premiere pro", "Premiere Pro"), ("canva", "Canva"), ("blender", "Blender"), ("maya", "Maya"), ("ux design", "UX design"), ("ui design", "UI design"), ("user research", "User research"), ("wireframing", "Wireframing"), ("prototyping", "Prototyping"), ("design systems", "Design systems"), ("accessibility", "Accessibility"), ("typography", "Typography"), ("video editing", "Video editing"), ("copywriting", "Copywriting"), ("technical writing", "Technical writing"), ("storytelling", "Storytelling"), ("motion graphics", "Motion graphics"),
        // Sales, marketing, service
        ("salesforce", "Salesforce"), ("hubspot", "HubSpot"), ("zendesk", "Zendesk"), ("intercom", "Intercom"), ("marketo", "Marketo"), ("outreach.io", "Outreach"), ("gong", "Gong"), ("zoominfo", "ZoomInfo"), ("sales navigator", "Sales Navigator"), ("crm", "CRM"), ("seo", "SEO"), ("sem", "SEM"), ("google ads", "Google Ads"), ("facebook ads", "Facebook Ads"), ("paid social", "Paid social"), ("content marketing", "Content marketing"), ("email marketing", "Email marketing"), ("social media", "Social media"), ("account management", "Account management"), ("business development", "Business development"), ("lead generation", "Lead generation"), ("cold calling", "Cold calling"), ("prospecting", "Prospecting"), ("negotiation", "Negotiation"), ("customer success", "Customer success"), ("customer service", "Customer service"), ("public relations", "Public relations"), ("market research", "Market research"), ("brand strategy", "Brand strategy"), ("event planning", "Event planning"), ("e-commerce", "E-commerce"), ("merchandising", "Merchandising"), ("servicenow", "ServiceNow"), ("meddic", "MEDDIC"), ("meddpicc", "MEDDPICC"),
        // Finance, law, people
        ("accounting", "Accounting"), ("gaap", "GAAP"), ("us gaap", "GAAP"), ("ifrs", "IFRS"), ("cpa", "CPA"), ("cfa", "CFA"), ("financial modeling", "Financial modeling"), ("fp&a", "FP&A"), ("forecasting", "Forecasting"), ("budgeting", "Budgeting"), ("accounts payable", "Accounts payable"), ("accounts receivable", "Accounts receivable"), ("payroll", "Payroll"), ("bookkeeping", "Bookkeeping"), ("auditing", "Auditing"), ("tax", "Tax"), ("quickbooks", "QuickBooks"), ("netsuite", "NetSuite"), ("sap", "SAP"), ("s/4hana", "SAP S/4HANA"), ("datev", "DATEV"), ("workday", "Workday"), ("erp", "ERP"), ("procurement", "Procurement"), ("supply chain", "Supply chain"), ("logistics", "Logistics"), ("contract negotiation", "Contract negotiation"), ("compliance", "Compliance"), ("kyc", "KYC"), ("aml", "AML"), ("recruiting", "Recruiting"), ("talent acquisition", "Talent acquisition"), ("onboarding", "Onboarding"), ("employee relations", "Employee relations"), ("labor law", "Labor law"), ("underwriting", "Underwriting"),
        // Engineering and making
        ("autocad", "AutoCAD"), ("solidworks", "SolidWorks"), ("catia", "CATIA"), ("revit", "Revit"), ("creo", "Creo"), ("cad", "CAD"), ("plc", "PLC"), ("scada", "SCADA"), ("fpga", "FPGA"), ("pcb", "PCB design"), ("altium", "Altium"), ("embedded systems", "Embedded systems"), ("firmware", "Firmware"), ("rtos", "RTOS"), ("can bus", "CAN bus"), ("labview", "LabVIEW"), ("simulink", "Simulink"), ("ansys", "Ansys"), ("fea", "FEA"), ("cfd", "CFD"), ("gd&t", "GD&T"), ("cnc", "CNC"), ("welding", "Welding"), ("soldering", "Soldering"), ("hvac", "HVAC"), ("quality control", "Quality control"), ("quality assurance", "Quality assurance"), ("lean manufacturing", "Lean manufacturing"), ("preventive maintenance", "Preventive maintenance"), ("osha", "OSHA"), ("forklift", "Forklift"), ("blueprint reading", "Blueprint reading"), ("gis", "GIS"),
        // Health, teaching, care, hospitality
        ("patient care", "Patient care"), ("registered nurse", "Registered nurse"), ("bls", "BLS"), ("acls", "ACLS"), ("cpr", "CPR"), ("ehr", "EHR"), ("emr", "EMR"), ("epic", "Epic"), ("phlebotomy", "Phlebotomy"), ("medical billing", "Medical billing"), ("clinical trials", "Clinical trials"), ("gcp guidelines", "GCP guidelines"), ("gmp", "GMP"), ("applied behavior analysis", "Applied behavior analysis"), ("aba therapy", "Applied behavior analysis"), ("case management", "Case management"), ("curriculum development", "Curriculum development"), ("classroom management", "Classroom management"), ("lesson planning", "Lesson planning"), ("tutoring", "Tutoring"), ("food safety", "Food safety"), ("haccp", "HACCP"), ("barista", "Barista"), ("driver's license", "Driver's license"), ("führerschein", "Driver's license"), ("permis b", "Driver's license"), ("carné de conducir", "Driver's license"),
        // General
        ("microsoft office", "Microsoft Office"), ("ms office", "Microsoft Office"), ("ms-office", "Microsoft Office"), ("powerpoint", "PowerPoint"), ("google workspace", "Google Workspace"), ("public speaking", "Public speaking"), ("problem solving", "Problem solving"), ("problem-solving", "Problem solving"), ("communication skills", "Communication"), ("kommunikationsstärke", "Communication"), ("time management", "Time management"), ("attention to detail", "Attention to detail"), ("critical thinking", "Critical thinking"), ("teamwork", "Teamwork"), ("teamfähigkeit", "Teamwork"), ("esprit d'équipe", "Teamwork"), ("trabajo en equipo", "Teamwork"), ("mentoring", "Mentoring"), ("data entry", "Data entry"),
    ])
});

/// Skills that are common words in small letters: they count only written exactly so.
#[rustfmt::skip]
const CASED: [(&str, &str); 22] = [
    ("go", "Go"), ("r", "R"), ("c", "C"), ("rust", "Rust"), ("swift", "Swift"), ("express", "Express"), ("spring", "Spring"), ("spark", "Spark"), ("beam", "Beam"), ("chef", "Chef"), ("puppet", "Puppet"), ("excel", "Excel"), ("sketch", "Sketch"), ("node", "Node"), ("lean", "Lean"), ("notion", "Notion"), ("slack", "Slack"), ("unity", "Unity"), ("oracle", "Oracle"), ("epic", "Epic"), ("hive", "Hive"), ("react", "React"),
];

/// Words that are a skill only within a list of such words.
const DOUBTFUL: [&str; 12] = [
    "go", "r", "c", "lean", "notion", "slack", "epic", "excel", "sketch", "unity", "assembly",
    "maya",
];

#[rustfmt::skip]
static BENEFITS: LazyLock<Phrases<&'static str>> = LazyLock::new(|| {
    Phrases::new(&[
        ("health insurance", "Health insurance"), ("medical insurance", "Health insurance"), ("healthcare", "Health insurance"), ("health coverage", "Health insurance"), ("medical, dental", "Health insurance"), ("private medical", "Health insurance"), ("mutuelle", "Health insurance"), ("seguro médico", "Health insurance"), ("private krankenversicherung", "Health insurance"), ("dental", "Dental"), ("dental insurance", "Dental"), ("vision insurance", "Vision"), ("dental and vision", "Dental and vision"), ("dental & vision", "Dental and vision"), ("dental, and vision", "Dental and vision"), ("life insurance", "Life insurance"), ("disability insurance", "Disability insurance"), ("hsa", "Health savings account"), ("fsa", "Flexible spending account"), ("mental health", "Mental health support"),
        ("401k", "401(k)"), ("401(k)", "401(k)"), ("401(k) match", "401(k) match"), ("401k match", "401(k) match"), ("401(k) matching", "401(k) match"), ("401k matching", "401(k) match"), ("pension", "Pension"), ("retirement plan", "Pension"), ("retirement", "Pension"), ("betriebliche altersvorsorge", "Pension"), ("altersvorsorge", "Pension"), ("superannuation", "Superannuation"), ("rrsp", "RRSP"),
        ("equity", "Equity"), ("stock options", "Stock options"), ("rsus", "RSUs"), ("espp", "Employee stock purchase plan"), ("virtuelle anteile", "Equity"), ("bspce", "Equity"), ("annual bonus", "Bonus"), ("performance bonus", "Bonus"), ("signing bonus", "Signing bonus"), ("sign-on bonus", "Signing bonus"), ("profit sharing", "Profit sharing"), ("intéressement", "Profit sharing"), ("13th month", "13th salary"), ("13. gehalt", "13th salary"), ("13ème mois", "13th salary"), ("weihnachtsgeld", "Christmas bonus"), ("urlaubsgeld", "Holiday pay"),
        ("unlimited pto", "Unlimited paid time off"), ("unlimited paid time off", "Unlimited paid time off"), ("unlimited vacation", "Unlimited paid time off"), ("flexible pto", "Flexible paid time off"), ("paid time off", "Paid time off"), ("pto", "Paid time off"), ("paid vacation", "Paid time off"), ("paid holidays", "Paid holidays"), ("urlaubstage", "Paid time off"), ("tage urlaub", "Paid time off"), ("congés payés", "Paid time off"), ("rtt", "RTT"), ("días de vacaciones", "Paid time off"), ("sick leave", "Sick leave"), ("sick days", "Sick leave"), ("parental leave", "Parental leave"), ("maternity leave", "Parental leave"), ("paternity leave", "Parental leave"), ("elternzeit", "Parental leave"), ("congé parental", "Parental leave"), ("sabbatical", "Sabbatical"), ("volunteer days", "Volunteer days"), ("summer fridays", "Summer Fridays"), ("4-day week", "Four-day week"), ("four-day week", "Four-day week"),
        ("flexible hours", "Flexible hours"), ("flexible working hours", "Flexible hours"), ("flexible schedule", "Flexible hours"), ("flexible work", "Flexible hours"), ("flexible arbeitszeiten", "Flexible hours"), ("gleitzeit", "Flexible hours"), ("horaires flexibles", "Flexible hours"), ("horario flexible", "Flexible hours"), ("home office stipend", "Home office stipend"), ("home office budget", "Home office stipend"), ("wfh stipend", "Home office stipend"), ("remote work stipend", "Home office stipend"), ("internet stipend", "Internet stipend"), ("learning budget", "Learning budget"), ("learning stipend", "Learning budget"), ("learning and development", "Learning budget"), ("professional development", "Professional development"), ("weiterbildungsbudget", "Learning budget"), ("weiterbildung", "Professional development"), ("formation continue", "Professional development"), ("tuition reimbursement", "Tuition reimbursement"), ("tuition assistance", "Tuition reimbursement"), ("education budget", "Learning budget"), ("conference budget", "Conference budget"),
        ("commuter benefits", "Commuter benefits"), ("commuter", "Commuter benefits"), ("jobticket", "Commuter benefits"), ("deutschlandticket", "Commuter benefits"), ("deutschland-ticket", "Commuter benefits"), ("jobrad", "Bike leasing"), ("bike leasing", "Bike leasing"), ("cycle to work", "Bike leasing"), ("company car", "Company car"), ("firmenwagen", "Company car"), ("dienstwagen", "Company car"), ("voiture de fonction", "Company car"), ("coche de empresa", "Company car"), ("free lunch", "Free lunch"), ("catered lunch", "Free lunch"), ("daily lunch", "Free lunch"), ("catered meals", "Free meals"), ("free food", "Free meals"), ("snacks", "Snacks"), ("titres restaurant", "Meal vouchers"), ("tickets restaurant", "Meal vouchers"), ("ticket restaurant", "Meal vouchers"), ("titres-restaurant", "Meal vouchers"), ("gym membership", "Gym membership"), ("gym", "Gym membership"), ("fitness stipend", "Gym membership"), ("wellness stipend", "Wellness stipend"), ("wellness budget", "Wellness stipend"), ("wellness", "Wellness"), ("urban sports", "Gym membership"), ("wellpass", "Gym membership"), ("childcare", "Childcare"), ("kinderbetreuung", "Childcare"), ("fertility", "Fertility support"), ("employee discount", "Employee discount"), ("mitarbeiterrabatte", "Employee discount"), ("corporate benefits", "Employee discount"), ("relocation assistance", "Relocation"), ("relocation package", "Relocation"), ("relocation support", "Relocation"), ("visa sponsorship", "Visa sponsorship"), ("visa support", "Visa sponsorship"), ("pet insurance", "Pet insurance"), ("dog-friendly", "Dog-friendly office"), ("team offsites", "Team offsites"), ("company retreats", "Team offsites"), ("work from anywhere", "Work from anywhere"), ("employee assistance program", "Employee assistance program"), ("subsidized housing", "Housing"), ("free housing", "Housing"),
    ])
});

/// Skills in order of appearance.
pub(crate) fn skills(doc: &Doc, sink: &mut dyn FnMut(Found)) {
    let mut out = Items::default();
    let mut doubtful: Vec<(usize, usize, &str)> = Vec::new();
    for hit in SKILLS.find(&doc.fold) {
        let written = &doc.raw[hit.start..hit.end];
        if CASED
            .iter()
            .any(|(word, cased)| *word == hit.phrase && *cased != written)
        {
            continue;
        }
        if hit.phrase == "c" && doc.raw[hit.end..].starts_with(['.', '-', '\'', '’', '&']) {
            continue;
        }
        if DOUBTFUL.contains(&hit.phrase) {
            doubtful.push((hit.start, hit.end, hit.tag));
            continue;
        }
        out.push(hit.start, hit.end, hit.tag);
    }
    // A common word is a skill where others stand right beside it.
    for (start, end, name) in doubtful {
        const BESIDE_BYTES: usize = 24;
        let listed = out.spans.iter().any(|s| {
            s.end <= start && start - s.end <= BESIDE_BYTES
                || end <= s.start && s.start - end <= BESIDE_BYTES
        });
        if listed {
            out.push(start, end, name);
        }
    }
    let thousandths = if out.spans.len() >= 5 {
        sure::SKILLS
    } else {
        sure::FEW_SKILLS
    };
    out.emit(FieldKey::Skills, thousandths, sink);
}

/// Benefits in order of appearance.
pub(crate) fn benefits(doc: &Doc, sink: &mut dyn FnMut(Found)) {
    let mut out = Items::default();
    for hit in BENEFITS.find(&doc.fold) {
        out.push(hit.start, hit.end, hit.tag);
    }
    let thousandths = if out.spans.len() >= 3 {
        sure::BENEFITS
    } else {
        sure::FEW_BENEFITS
    };
    out.emit(FieldKey::Benefits, thousandths, sink);
}

/// Names found, each once, with where it stands first.
#[derive(Default)]
struct Items {
    names: Vec<&'static str>,
    spans: Vec<Range<usize>>,
}

impl Items {
    fn push(&mut self, start: usize, end: usize, name: &'static str) {
        if !self.names.contains(&name) {
            self.names.push(name);
            self.spans.push(start..end);
        }
    }

    /// The quote is the first item: a list has no one place.
    fn emit(self, field: FieldKey, thousandths: u16, sink: &mut dyn FnMut(Found)) {
        let mut items: Vec<(Range<usize>, &str)> = self.spans.into_iter().zip(self.names).collect();
        items.sort_by_key(|(span, _)| span.start);
        items.truncate(ITEMS_MAX);
        let Some((first, _)) = items.first().cloned() else {
            return;
        };
        let value = FieldValue::List(items.into_iter().map(|(_, name)| name.to_owned()).collect());
        sink(Found {
            field,
            value,
            confidence: Confidence::new(thousandths),
            start: first.start,
            end: first.end,
        });
    }
}

/// The text below the head: everything after the first blank line, or after the first line.
pub(crate) fn description(doc: &Doc, sink: &mut dyn FnMut(Found)) {
    /// A shorter rest is no description.
    const DESCRIPTION_BYTES_MIN: usize = 200;
    let Some(last) = doc.lines.last() else { return };
    let body = doc
        .lines
        .iter()
        .skip(doc.head + 1)
        .find(|line| line.gap)
        .or_else(|| doc.lines.get(doc.head + 1));
    let start = body.map_or(last.start, |line| line.start);
    let end = floor(doc.raw, last.end.min(start + DESCRIPTION_BYTES_MAX)).max(start);
    let (start, end) = trim(doc.raw, start, end);
    if start == end {
        return;
    }
    let thousandths = if end - start >= DESCRIPTION_BYTES_MIN {
        sure::DESCRIPTION
    } else {
        sure::SHORT_DESCRIPTION
    };
    sink(Found {
        field: FieldKey::Description,
        value: FieldValue::Text(doc.raw[start..end].to_owned()),
        confidence: Confidence::new(thousandths),
        start,
        end,
    });
}
