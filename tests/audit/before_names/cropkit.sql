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
INSERT INTO "audit" VALUES(1,'2026-11-29T04:15:03.455844Z','crop_20261129_041503_9dc6f8','session-started',NULL,NULL,'{"host":"vm","id":"crop_20261129_041503_9dc6f8","kind":"python","reviewer":"root","started_at":"2026-11-29T04:15:03.455056Z","version":"0.1.0"}','0000000000000000000000000000000000000000000000000000000000000000','2539818f679fd7052c0f13ba255cfaba3dff72f765967db3a75336ce4e3e05f8');
INSERT INTO "audit" VALUES(2,'2026-11-29T04:15:03.457885Z','crop_20261129_041503_9dc6f8','decided','plain.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-29T04:15:03.446616Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"e8925418a4314f5bbdcb5172edd972bb","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"plain.png","reviewer":"root","session":"crop_20261129_041503_9dc6f8","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-29T04:15:03.446616Z","verdict":"adjusted","width":64}','2539818f679fd7052c0f13ba255cfaba3dff72f765967db3a75336ce4e3e05f8','edc4dfa517056e991854503111da50ca3691ab68a9f8d11676680d0464b4bf79');
INSERT INTO "audit" VALUES(3,'2026-11-29T04:15:03.568038Z','crop_20261129_041503_9dc6f8','cropped','plain.png','c4c951e59aa445718f71f9e9d6e6c532','{"box":[4,8,40,60],"decision":"e8925418a4314f5bbdcb5172edd972bb","operation":{"after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"e8925418a4314f5bbdcb5172edd972bb","id":"c4c951e59aa445718f71f9e9d6e6c532","kind":"crop","owner":"38c8d80c6c624949bfffa7c8879b67de","plan":"{\"attributes\": {\"atime_ns\": 1795925703329250779, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795925703331547258, \"uid\": 0, \"xattrs\": []}, \"box\": [4, 8, 40, 60], \"companions\": [], \"report\": {\"box_applied\": [4, 8, 40, 60], \"dropped\": [], \"kept\": [], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_041503_9dc6f8","source":"plain.png","state":"planned","target":"plain.png","undoes":null},"sha256_after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":"plain.png","undoes":null}','edc4dfa517056e991854503111da50ca3691ab68a9f8d11676680d0464b4bf79','8c5e86688372130f69d33586126ae42d27a63c766891025241a6e8752fb0ec9f');
INSERT INTO "audit" VALUES(4,'2026-11-29T04:15:03.575737Z','crop_20261129_041503_9dc6f8','decided','grün ☃ 写真.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-29T04:15:03.575110Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"8ccda466d0d847ef857e0260db74f520","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"gr\u00fcn \u2603 \u5199\u771f.png","reviewer":"root","session":"crop_20261129_041503_9dc6f8","sha256":"7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821","shown_at":"2026-11-29T04:15:03.575110Z","verdict":"adjusted","width":64}','8c5e86688372130f69d33586126ae42d27a63c766891025241a6e8752fb0ec9f','abefcb06342a4e866c981efaa16ddf2ff825e935175ae452a122f19c31c805e8');
INSERT INTO "audit" VALUES(5,'2026-11-29T04:15:03.635777Z','crop_20261129_041503_9dc6f8','cropped','grün ☃ 写真.png','f9d349be1a2a4512b1ac1243a85d6699','{"box":[4,8,40,60],"decision":"8ccda466d0d847ef857e0260db74f520","operation":{"after":"3468632e1e99679bb87119d45e48ade928f8b001f5f9dcfbbdd19e5eb01700d0","before":"7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821","decision":"8ccda466d0d847ef857e0260db74f520","id":"f9d349be1a2a4512b1ac1243a85d6699","kind":"crop","owner":"38c8d80c6c624949bfffa7c8879b67de","plan":"{\"attributes\": {\"atime_ns\": 1795925703331547258, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795925703332937190, \"uid\": 0, \"xattrs\": []}, \"box\": [4, 8, 40, 60], \"companions\": [], \"report\": {\"box_applied\": [4, 8, 40, 60], \"dropped\": [], \"kept\": [], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_041503_9dc6f8","source":"gr\u00fcn \u2603 \u5199\u771f.png","state":"planned","target":"gr\u00fcn \u2603 \u5199\u771f.png","undoes":null},"sha256_after":"3468632e1e99679bb87119d45e48ade928f8b001f5f9dcfbbdd19e5eb01700d0","sha256_before":"7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821","target":"gr\u00fcn \u2603 \u5199\u771f.png","undoes":null}','abefcb06342a4e866c981efaa16ddf2ff825e935175ae452a122f19c31c805e8','525da812049679449cb38f0d8716490e740b47dd479d6dc23291443a136cc543');
INSERT INTO "audit" VALUES(6,'2026-11-29T04:15:03.660456Z','crop_20261129_041503_9dc6f8','restored','grün ☃ 写真.png','3c91caeb1dd047ffbe6f04245a9a5073','{"box":null,"decision":"8ccda466d0d847ef857e0260db74f520","operation":{"after":"7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821","before":"3468632e1e99679bb87119d45e48ade928f8b001f5f9dcfbbdd19e5eb01700d0","decision":"8ccda466d0d847ef857e0260db74f520","id":"3c91caeb1dd047ffbe6f04245a9a5073","kind":"restore","owner":"38c8d80c6c624949bfffa7c8879b67de","plan":"{\"attributes\": {\"atime_ns\": 1795925703578065346, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1795925703578065346, \"uid\": 0, \"xattrs\": []}, \"box\": null, \"companions\": [], \"report\": {\"box_applied\": null, \"dropped\": [], \"kept\": [\"every byte\"], \"patched\": [], \"psnr\": null}}","session":"crop_20261129_041503_9dc6f8","source":"gr\u00fcn \u2603 \u5199\u771f.png","state":"planned","target":"gr\u00fcn \u2603 \u5199\u771f.png","undoes":"f9d349be1a2a4512b1ac1243a85d6699"},"sha256_after":"7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821","sha256_before":"3468632e1e99679bb87119d45e48ade928f8b001f5f9dcfbbdd19e5eb01700d0","target":"gr\u00fcn \u2603 \u5199\u771f.png","undoes":"f9d349be1a2a4512b1ac1243a85d6699"}','525da812049679449cb38f0d8716490e740b47dd479d6dc23291443a136cc543','130e58839d0bbc0270e022a4444a2868ee2090fcd8e738fc17cfb5612ce42f19');
INSERT INTO "audit" VALUES(7,'2026-11-29T04:15:03.666114Z','crop_20261129_041503_9dc6f8','session-ended',NULL,NULL,'{"counts":{"accepted":0,"adjusted":2,"cropped":2,"degraded":{},"failed":0,"purged":0,"rejected":0,"restored":1,"set_aside":0,"shown":0,"skipped":0,"stale":0},"cropped":1,"how":"closed"}','130e58839d0bbc0270e022a4444a2868ee2090fcd8e738fc17cfb5612ce42f19','846fe2ededc037b2a1fad0a9fbc3b72a78bbd4e165df474ea8ed6199e57d8d50');
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
INSERT INTO "decision" VALUES(1,'e8925418a4314f5bbdcb5172edd972bb','plain.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'root','crop_20261129_041503_9dc6f8','2026-11-29T04:15:03.446616Z','2026-11-29T04:15:03.446616Z');
INSERT INTO "decision" VALUES(2,'8ccda466d0d847ef857e0260db74f520','grün ☃ 写真.png','7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821',64,96,'adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'root','crop_20261129_041503_9dc6f8','2026-11-29T04:15:03.575110Z','2026-11-29T04:15:03.575110Z');
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
	PRIMARY KEY (seq), 
	CHECK (state IN ('planned', 'prepared', 'done', 'aborting', 'aborted', 'conflict')), 
	CHECK (state IN ('planned', 'aborted') OR (before NOT NULL AND after NOT NULL)), 
	UNIQUE (id)
);
INSERT INTO "operation" VALUES(1,'c4c951e59aa445718f71f9e9d6e6c532','crop','done','38c8d80c6c624949bfffa7c8879b67de','crop_20261129_041503_9dc6f8','e8925418a4314f5bbdcb5172edd972bb',NULL,NULL,'plain.png','plain.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','{"attributes": {"atime_ns": 1795925703329250779, "gid": 0, "mode": 420, "mtime_ns": 1795925703331547258, "uid": 0, "xattrs": []}, "box": [4, 8, 40, 60], "companions": [], "report": {"box_applied": [4, 8, 40, 60], "dropped": [], "kept": [], "patched": [], "psnr": null}}','2026-11-29T04:15:03.462126Z','2026-11-29T04:15:03.564818Z');
INSERT INTO "operation" VALUES(2,'f9d349be1a2a4512b1ac1243a85d6699','crop','done','38c8d80c6c624949bfffa7c8879b67de','crop_20261129_041503_9dc6f8','8ccda466d0d847ef857e0260db74f520',NULL,'3c91caeb1dd047ffbe6f04245a9a5073','grün ☃ 写真.png','grün ☃ 写真.png','7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821','3468632e1e99679bb87119d45e48ade928f8b001f5f9dcfbbdd19e5eb01700d0','{"attributes": {"atime_ns": 1795925703331547258, "gid": 0, "mode": 420, "mtime_ns": 1795925703332937190, "uid": 0, "xattrs": []}, "box": [4, 8, 40, 60], "companions": [], "report": {"box_applied": [4, 8, 40, 60], "dropped": [], "kept": [], "patched": [], "psnr": null}}','2026-11-29T04:15:03.579728Z','2026-11-29T04:15:03.635480Z');
INSERT INTO "operation" VALUES(3,'3c91caeb1dd047ffbe6f04245a9a5073','restore','done','38c8d80c6c624949bfffa7c8879b67de','crop_20261129_041503_9dc6f8','8ccda466d0d847ef857e0260db74f520','f9d349be1a2a4512b1ac1243a85d6699',NULL,'grün ☃ 写真.png','grün ☃ 写真.png','3468632e1e99679bb87119d45e48ade928f8b001f5f9dcfbbdd19e5eb01700d0','7087bf7a04ed2e0112a23295ef024a9de3bafa2a4e96032566ed846b80016821','{"attributes": {"atime_ns": 1795925703578065346, "gid": 0, "mode": 420, "mtime_ns": 1795925703578065346, "uid": 0, "xattrs": []}, "box": null, "companions": [], "report": {"box_applied": null, "dropped": [], "kept": ["every byte"], "patched": [], "psnr": null}}','2026-11-29T04:15:03.650020Z','2026-11-29T04:15:03.659257Z');
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
	PRIMARY KEY (decision), 
	FOREIGN KEY(decision) REFERENCES decision (id)
);
INSERT INTO "queue" VALUES('e8925418a4314f5bbdcb5172edd972bb','plain.png','cropped',NULL,'c4c951e59aa445718f71f9e9d6e6c532',NULL,NULL,'2026-11-29T04:15:03.568283Z');
INSERT INTO "queue" VALUES('8ccda466d0d847ef857e0260db74f520','grün ☃ 写真.png','restored',NULL,'3c91caeb1dd047ffbe6f04245a9a5073',NULL,NULL,'2026-11-29T04:15:03.660609Z');
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
INSERT INTO "session" VALUES('crop_20261129_041503_9dc6f8','python','vm','root','0.1.0','2026-11-29T04:15:03.455056Z','2026-11-29T04:15:03.665579Z','closed',NULL,'{"accepted": 0, "adjusted": 2, "cropped": 2, "degraded": {}, "failed": 0, "purged": 0, "rejected": 0, "restored": 1, "set_aside": 0, "shown": 0, "skipped": 0, "stale": 0}');
CREATE TABLE setting (
	name VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE INDEX ix_operation_target ON operation (target);
CREATE INDEX ix_operation_source ON operation (source);
CREATE INDEX ix_operation_before ON operation ("before");
CREATE INDEX ix_operation_state ON operation (state);
CREATE INDEX ix_operation_after ON operation ("after");
CREATE UNIQUE INDEX one_outcome ON audit (operation) WHERE event IN ('cropped', 'rejected', 'restored', 'purged');
CREATE INDEX ix_decision_path ON decision (path);
CREATE INDEX ix_claim_operation ON claim (operation);
CREATE INDEX ix_queue_status ON queue (status);
CREATE INDEX ix_queue_path ON queue (path);
COMMIT;