BEGIN TRANSACTION;
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	session VARCHAR NOT NULL, 
	event VARCHAR NOT NULL, 
	path VARCHAR, 
	operation VARCHAR, 
	body TEXT NOT NULL, 
	previous VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (hash)
);
INSERT INTO "audit" VALUES(1,'2026-11-29T23:27:59.542391Z','crop_20261129_232759_ca6758','session-started',NULL,NULL,'{"host":"museum","id":"crop_20261129_232759_ca6758","kind":"python","reviewer":"somebody","started_at":"2026-11-29T23:27:59.537376Z","version":"0.1.0"}','0000000000000000000000000000000000000000000000000000000000000000','91fdbb7b4e8e262448f1a69384cb9371463aaa64db1460668c9622171b86fdbe');
INSERT INTO "audit" VALUES(2,'2026-11-29T23:27:59.546352Z','crop_20261129_232759_ca6758','decided','cropped.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-29T23:27:59.537005Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"d5ca980616b444a1b0f2a2a2c71b6100","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"cropped.png","reviewer":"somebody","session":"crop_20261129_232759_ca6758","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-29T23:27:59.537005Z","verdict":"adjusted","width":64}','91fdbb7b4e8e262448f1a69384cb9371463aaa64db1460668c9622171b86fdbe','f4ff8970e19673ca6629a78d5d91d24897d05da7ee5cb7962a53b9eebda8ba81');
INSERT INTO "audit" VALUES(3,'2026-11-29T23:27:59.591479Z','crop_20261129_232759_ca6758','cropped','cropped.png','3df0e7ce811542ef9a61164213b273f3','{"box":[4,8,40,60],"decision":"d5ca980616b444a1b0f2a2a2c71b6100","operation":{"after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"d5ca980616b444a1b0f2a2a2c71b6100","id":"3df0e7ce811542ef9a61164213b273f3","kind":"crop","owner":"c8058531e9124d8fb86105aea121442a","plan":"{\"attributes\": {\"atime_ns\": 1795994879391176814, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795994879396823235, \"uid\": 0, \"xattrs\": []}, \"box\": [4, 8, 40, 60], \"companions\": [], \"report\": {\"box_applied\": [4, 8, 40, 60], \"degraded\": null, \"dropped\": [], \"kept\": [], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_232759_ca6758","source":"cropped.png","state":"planned","target":"cropped.png","undoes":null},"sha256_after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":"cropped.png","undoes":null}','f4ff8970e19673ca6629a78d5d91d24897d05da7ee5cb7962a53b9eebda8ba81','fac4467270f40ab0b3c43d26d2058676a6040a379229e5652fdac377df52e61c');
INSERT INTO "audit" VALUES(4,'2026-11-29T23:27:59.600510Z','crop_20261129_232759_ca6758','decided','undone.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-29T23:27:59.599758Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"d22d422d9fad4993b048dba879756a34","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"undone.png","reviewer":"somebody","session":"crop_20261129_232759_ca6758","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-29T23:27:59.599758Z","verdict":"adjusted","width":64}','fac4467270f40ab0b3c43d26d2058676a6040a379229e5652fdac377df52e61c','30f7155e7d09c1902acfe3569a9715c95211169ac721c584ffcb6cecd37aa9d9');
INSERT INTO "audit" VALUES(5,'2026-11-29T23:27:59.630501Z','crop_20261129_232759_ca6758','cropped','undone.png','4479f48bd82344659cd7bd4443e98f3d','{"box":[4,8,40,60],"decision":"d22d422d9fad4993b048dba879756a34","operation":{"after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"d22d422d9fad4993b048dba879756a34","id":"4479f48bd82344659cd7bd4443e98f3d","kind":"crop","owner":"c8058531e9124d8fb86105aea121442a","plan":"{\"attributes\": {\"atime_ns\": 1795994879396823235, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795994879398402642, \"uid\": 0, \"xattrs\": []}, \"box\": [4, 8, 40, 60], \"companions\": [], \"report\": {\"box_applied\": [4, 8, 40, 60], \"degraded\": null, \"dropped\": [], \"kept\": [], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_232759_ca6758","source":"undone.png","state":"planned","target":"undone.png","undoes":null},"sha256_after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":"undone.png","undoes":null}','30f7155e7d09c1902acfe3569a9715c95211169ac721c584ffcb6cecd37aa9d9','b6a722747e7648cd476684e18f45e80be0f1def23cd7e23db65e30f6a774bfad');
INSERT INTO "audit" VALUES(6,'2026-11-29T23:27:59.671899Z','crop_20261129_232759_ca6758','restored','undone.png','bccc9fa0c19d4c0ca55d482564a7d5ea','{"box":null,"decision":"d22d422d9fad4993b048dba879756a34","operation":{"after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","before":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","decision":"d22d422d9fad4993b048dba879756a34","id":"bccc9fa0c19d4c0ca55d482564a7d5ea","kind":"restore","owner":"c8058531e9124d8fb86105aea121442a","plan":"{\"attributes\": {\"atime_ns\": 1795994879599176805, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795994879599176805, \"uid\": 0, \"xattrs\": []}, \"box\": null, \"companions\": [], \"report\": {\"box_applied\": null, \"degraded\": null, \"dropped\": [], \"kept\": [\"every byte\"], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_232759_ca6758","source":"undone.png","state":"planned","target":"undone.png","undoes":"4479f48bd82344659cd7bd4443e98f3d"},"sha256_after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","sha256_before":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","target":"undone.png","undoes":"4479f48bd82344659cd7bd4443e98f3d"}','b6a722747e7648cd476684e18f45e80be0f1def23cd7e23db65e30f6a774bfad','1eda6ea3840ea35eb3e471b550aa2abe4c9a1102c0815691c6c4d50d9b85a23b');
INSERT INTO "audit" VALUES(7,'2026-11-29T23:27:59.680005Z','crop_20261129_232759_ca6758','decided','rejected.png',NULL,'{"decided_at":"2026-11-29T23:27:59.679349Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"1b989cbfa4494dacb65bca29cfce2ec2","iou":null,"path":"rejected.png","reviewer":"somebody","session":"crop_20261129_232759_ca6758","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-29T23:27:59.679349Z","verdict":"reject","width":64}','1eda6ea3840ea35eb3e471b550aa2abe4c9a1102c0815691c6c4d50d9b85a23b','76b5bc231fa171e6a12ce76f04b2a311a2fb2129ea0df03586188f2ae2d1a736');
INSERT INTO "audit" VALUES(8,'2026-11-29T23:27:59.714493Z','crop_20261129_232759_ca6758','rejected','rejected.png','630e4b6e26bf4249ac6009d199f3d851','{"box":null,"decision":"1b989cbfa4494dacb65bca29cfce2ec2","operation":{"after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"1b989cbfa4494dacb65bca29cfce2ec2","id":"630e4b6e26bf4249ac6009d199f3d851","kind":"reject","owner":"c8058531e9124d8fb86105aea121442a","plan":"{\"attributes\": {\"atime_ns\": 1795994879398402642, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795994879399667319, \"uid\": 0, \"xattrs\": []}, \"box\": null, \"companions\": [], \"report\": {\"box_applied\": null, \"degraded\": null, \"dropped\": [], \"kept\": [\"every byte\"], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_232759_ca6758","source":"rejected.png","state":"planned","target":".cropkit/rejected/1b989cbfa449/rejected.png","undoes":null},"sha256_after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":".cropkit/rejected/1b989cbfa449/rejected.png","undoes":null}','76b5bc231fa171e6a12ce76f04b2a311a2fb2129ea0df03586188f2ae2d1a736','35bdf02200191911b450396a8eb566d38eb59e29a2d31cdfa09ce2a6d6dcc142');
INSERT INTO "audit" VALUES(9,'2026-11-29T23:27:59.720167Z','crop_20261129_232759_ca6758','decided','waits.png',NULL,'{"box_bottom":10,"box_left":0,"box_right":10,"box_top":0,"decided_at":"2026-11-29T23:27:59.719485Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"e870fc45d27d439db3eb706b62302274","iou":null,"normalized_bottom":0.10416666666666667,"normalized_left":0.0,"normalized_right":0.15625,"normalized_top":0.0,"path":"waits.png","reviewer":"somebody","session":"crop_20261129_232759_ca6758","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-29T23:27:59.719485Z","verdict":"adjusted","width":64}','35bdf02200191911b450396a8eb566d38eb59e29a2d31cdfa09ce2a6d6dcc142','251a039894ed60fd403ba07f2e6ce31665c47acce64d2abf061ffddac3cd3be3');
INSERT INTO "audit" VALUES(10,'2026-11-29T23:27:59.733055Z','crop_20261129_232759_ca6758','session-ended',NULL,NULL,'{"counts":{"accepted":0,"adjusted":3,"cropped":2,"degraded":{},"failed":0,"purged":0,"rejected":1,"restored":1,"set_aside":1,"shown":0,"skipped":0,"stale":0},"cropped":1,"how":"closed","rejected":1,"waiting":1}','251a039894ed60fd403ba07f2e6ce31665c47acce64d2abf061ffddac3cd3be3','59224bce870d75a7aea116c8051c5480d682b30bced7a2810dc4f9c290bd986f');
CREATE TABLE claim (
	name VARCHAR NOT NULL, 
	operation VARCHAR NOT NULL, 
	PRIMARY KEY (name), 
	FOREIGN KEY(operation) REFERENCES operation (id)
);
CREATE TABLE decision (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL CHECK (length(sha256) = 64), 
	width INTEGER NOT NULL CHECK (width > 0), 
	height INTEGER NOT NULL CHECK (height > 0), 
	verdict VARCHAR NOT NULL, 
	box_left INTEGER, 
	box_top INTEGER, 
	box_right INTEGER, 
	box_bottom INTEGER, 
	normalized_left FLOAT, 
	normalized_top FLOAT, 
	normalized_right FLOAT, 
	normalized_bottom FLOAT, 
	suggestion_source VARCHAR, 
	suggestion_version VARCHAR, 
	suggestion_rank INTEGER, 
	suggestion_confidence FLOAT, 
	suggestion_left FLOAT, 
	suggestion_top FLOAT, 
	suggestion_right FLOAT, 
	suggestion_bottom FLOAT, 
	iou FLOAT CHECK (iou IS NULL OR iou BETWEEN 0 AND 1), 
	edges_within_5_percent INTEGER, 
	reviewer VARCHAR NOT NULL, 
	session VARCHAR NOT NULL, 
	shown_left INTEGER, 
	shown_top INTEGER, 
	shown_right INTEGER, 
	shown_bottom INTEGER, 
	shown_at VARCHAR NOT NULL, 
	decided_at VARCHAR NOT NULL, 
	PRIMARY KEY (seq), 
	CHECK (verdict IN ('accept', 'adjusted', 'reject', 'skip')), 
	CHECK ((box_left IS NULL) = (verdict IN ('reject', 'skip'))), 
	CHECK (box_left IS NULL OR (0 <= box_left AND box_left < box_right AND box_right <= width AND 0 <= box_top AND box_top < box_bottom AND box_bottom <= height)), 
	CHECK (decided_at >= shown_at), 
	UNIQUE (id), 
	FOREIGN KEY(session) REFERENCES session (id)
);
INSERT INTO "decision" VALUES(1,'d5ca980616b444a1b0f2a2a2c71b6100','cropped.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261129_232759_ca6758',NULL,NULL,NULL,NULL,'2026-11-29T23:27:59.537005Z','2026-11-29T23:27:59.537005Z');
INSERT INTO "decision" VALUES(2,'d22d422d9fad4993b048dba879756a34','undone.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261129_232759_ca6758',NULL,NULL,NULL,NULL,'2026-11-29T23:27:59.599758Z','2026-11-29T23:27:59.599758Z');
INSERT INTO "decision" VALUES(3,'1b989cbfa4494dacb65bca29cfce2ec2','rejected.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'reject',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261129_232759_ca6758',NULL,NULL,NULL,NULL,'2026-11-29T23:27:59.679349Z','2026-11-29T23:27:59.679349Z');
INSERT INTO "decision" VALUES(4,'e870fc45d27d439db3eb706b62302274','waits.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'adjusted',0,0,10,10,0.0,0.0,0.15625,1.04166666666666671292e-01,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261129_232759_ca6758',NULL,NULL,NULL,NULL,'2026-11-29T23:27:59.719485Z','2026-11-29T23:27:59.719485Z');
CREATE TABLE operation (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	owner VARCHAR NOT NULL, 
	session VARCHAR NOT NULL, 
	decision VARCHAR, 
	undoes VARCHAR, 
	undone_by VARCHAR, 
	source VARCHAR NOT NULL, 
	target VARCHAR NOT NULL, 
	"before" VARCHAR, 
	"after" VARCHAR, 
	"plan" TEXT NOT NULL, 
	planned_at VARCHAR NOT NULL, 
	settled_at VARCHAR, 
	"key" VARCHAR, 
	mac VARCHAR, 
	PRIMARY KEY (seq), 
	CHECK (state IN ('planned', 'prepared', 'done', 'aborting', 'aborted', 'conflict')), 
	CHECK (state IN ('planned', 'aborted') OR (before NOT NULL AND after NOT NULL)), 
	UNIQUE (id)
);
INSERT INTO "operation" VALUES(1,'3df0e7ce811542ef9a61164213b273f3','crop','done','c8058531e9124d8fb86105aea121442a','crop_20261129_232759_ca6758','d5ca980616b444a1b0f2a2a2c71b6100',NULL,NULL,'cropped.png','cropped.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','{"attributes": {"atime_ns": 1795994879391176814, "gid": 0, "mode": 420, "mtime_ns": 1795994879396823235, "uid": 0, "xattrs": []}, "box": [4, 8, 40, 60], "companions": [], "report": {"box_applied": [4, 8, 40, 60], "degraded": null, "dropped": [], "kept": [], "patched": [], "psnr": null}}','2026-11-29T23:27:59.562966Z','2026-11-29T23:27:59.590065Z',NULL,NULL);
INSERT INTO "operation" VALUES(2,'4479f48bd82344659cd7bd4443e98f3d','crop','done','c8058531e9124d8fb86105aea121442a','crop_20261129_232759_ca6758','d22d422d9fad4993b048dba879756a34',NULL,'bccc9fa0c19d4c0ca55d482564a7d5ea','undone.png','undone.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','{"attributes": {"atime_ns": 1795994879396823235, "gid": 0, "mode": 420, "mtime_ns": 1795994879398402642, "uid": 0, "xattrs": []}, "box": [4, 8, 40, 60], "companions": [], "report": {"box_applied": [4, 8, 40, 60], "degraded": null, "dropped": [], "kept": [], "patched": [], "psnr": null}}','2026-11-29T23:27:59.603235Z','2026-11-29T23:27:59.630064Z',NULL,NULL);
INSERT INTO "operation" VALUES(3,'bccc9fa0c19d4c0ca55d482564a7d5ea','restore','done','c8058531e9124d8fb86105aea121442a','crop_20261129_232759_ca6758','d22d422d9fad4993b048dba879756a34','4479f48bd82344659cd7bd4443e98f3d',NULL,'undone.png','undone.png','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','{"attributes": {"atime_ns": 1795994879599176805, "gid": 0, "mode": 420, "mtime_ns": 1795994879599176805, "uid": 0, "xattrs": []}, "box": null, "companions": [], "report": {"box_applied": null, "degraded": null, "dropped": [], "kept": ["every byte"], "patched": [], "psnr": null}}','2026-11-29T23:27:59.643455Z','2026-11-29T23:27:59.670051Z',NULL,NULL);
INSERT INTO "operation" VALUES(4,'630e4b6e26bf4249ac6009d199f3d851','reject','done','c8058531e9124d8fb86105aea121442a','crop_20261129_232759_ca6758','1b989cbfa4494dacb65bca29cfce2ec2',NULL,NULL,'rejected.png','.cropkit/rejected/1b989cbfa449/rejected.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','{"attributes": {"atime_ns": 1795994879398402642, "gid": 0, "mode": 420, "mtime_ns": 1795994879399667319, "uid": 0, "xattrs": []}, "box": null, "companions": [], "report": {"box_applied": null, "degraded": null, "dropped": [], "kept": ["every byte"], "patched": [], "psnr": null}}','2026-11-29T23:27:59.694575Z','2026-11-29T23:27:59.714047Z',NULL,NULL);
CREATE TABLE place (
	reviewer VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (reviewer)
);
CREATE TABLE problem (
	seq INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	session VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE queue (
	decision VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	destination VARCHAR, 
	operation VARCHAR, 
	code VARCHAR, 
	message TEXT, 
	updated_at VARCHAR NOT NULL, 
	stands INTEGER, 
	PRIMARY KEY (decision), 
	FOREIGN KEY(decision) REFERENCES decision (id)
);
INSERT INTO "queue" VALUES('d5ca980616b444a1b0f2a2a2c71b6100','cropped.png','cropped',NULL,'3df0e7ce811542ef9a61164213b273f3',NULL,NULL,'2026-11-29T23:27:59.591743Z',1);
INSERT INTO "queue" VALUES('d22d422d9fad4993b048dba879756a34','undone.png','restored',NULL,'bccc9fa0c19d4c0ca55d482564a7d5ea',NULL,NULL,'2026-11-29T23:27:59.672130Z',NULL);
INSERT INTO "queue" VALUES('1b989cbfa4494dacb65bca29cfce2ec2','rejected.png','rejected',NULL,'630e4b6e26bf4249ac6009d199f3d851',NULL,NULL,'2026-11-29T23:27:59.714742Z',1);
INSERT INTO "queue" VALUES('e870fc45d27d439db3eb706b62302274','waits.png','waiting',NULL,NULL,NULL,NULL,'2026-11-29T23:27:59.719797Z',1);
CREATE TABLE seal (
	number INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	mac VARCHAR NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "seal" VALUES(1,'a2ab4786dc03810b',10,'59224bce870d75a7aea116c8051c5480d682b30bced7a2810dc4f9c290bd986f','38883556ebbb4ff65fcb0133b164ab6ba1899351a71de6590288b52dbae58728');
CREATE TABLE session (
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	reviewer VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	ended_at VARCHAR, 
	ended_how VARCHAR, 
	beat_at VARCHAR, 
	counts TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "session" VALUES('crop_20261129_232759_ca6758','python','museum','somebody','0.1.0','2026-11-29T23:27:59.537376Z','2026-11-29T23:27:59.732316Z','closed',NULL,'{"accepted": 0, "adjusted": 3, "cropped": 2, "degraded": {}, "failed": 0, "purged": 0, "rejected": 1, "restored": 1, "set_aside": 1, "shown": 0, "skipped": 0, "stale": 0}');
CREATE TABLE setting (
	name VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE INDEX acknowledgements ON audit (seq) WHERE event = 'acknowledged';
CREATE INDEX crops ON audit (seq) WHERE event IN ('cropped', 'rejected');
CREATE INDEX events_without_outcome ON audit (operation) WHERE operation IS NOT NULL AND (event NOT IN ('cropped', 'rejected', 'restored', 'purged'));
CREATE INDEX ix_audit_path ON audit (path);
CREATE UNIQUE INDEX one_outcome ON audit (operation) WHERE event IN ('cropped', 'rejected', 'restored', 'purged');
CREATE INDEX recoveries ON audit (seq) WHERE operation IS NOT NULL AND (instr(body, '"recovered":true') > 0 OR event = 'waiting' AND instr(body, '"code":null') > 0);
CREATE INDEX ix_operation_after ON operation ("after");
CREATE INDEX ix_operation_before ON operation ("before");
CREATE INDEX ix_operation_source ON operation (source);
CREATE INDEX ix_operation_target ON operation (target);
CREATE INDEX operations_not_done ON operation (state) WHERE state != 'done';
CREATE INDEX operations_to_redo ON operation (seq) WHERE state = 'done' AND undone_by IS NULL AND kind = 'restore';
CREATE INDEX operations_to_undo ON operation (seq) WHERE state = 'done' AND undone_by IS NULL AND kind IN ('crop', 'reject');
CREATE INDEX originals_needed ON operation ("before", seq, "after", kind, state) WHERE state = 'done' AND kind != 'purge' AND "before" != "after";
CREATE INDEX purges ON operation ("before", seq, kind, state) WHERE kind = 'purge';
CREATE INDEX work_of_session ON operation (session, seq) WHERE state = 'done' AND kind IN ('crop', 'reject');
CREATE INDEX ix_problem_session ON problem (session);
CREATE INDEX runs_in_order ON session (started_at) WHERE beat_at IS NOT NULL;
CREATE INDEX runs_not_ended ON session (started_at) WHERE beat_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX sessions_by_work ON session (CAST(substr(counts, instr(counts, '"cropped": ') + 11) AS INTEGER) + CAST(substr(counts, instr(counts, '"set_aside": ') + 13) AS INTEGER));
CREATE INDEX sessions_degraded ON session (started_at) WHERE instr(counts, '"degraded": {}') = 0;
CREATE INDEX sessions_in_order ON session (started_at);
CREATE INDEX ix_claim_operation ON claim (operation);
CREATE INDEX ix_decision_path ON decision (path);
CREATE INDEX ix_queue_path ON queue (path);
CREATE INDEX standing_by_status ON queue (status, stands) WHERE stands = 1;
CREATE INDEX waiting ON queue (decision) WHERE status = 'waiting';
COMMIT;
