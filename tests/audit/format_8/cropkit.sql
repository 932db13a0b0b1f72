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
INSERT INTO "audit" VALUES(1,'2026-11-30T13:37:17.250259Z','crop_20261130_133717_0f8989','session-started',NULL,NULL,'{"host":"museum","id":"crop_20261130_133717_0f8989","kind":"python","reviewer":"somebody","started_at":"2026-11-30T13:37:17.237110Z","version":"0.1.0"}','0000000000000000000000000000000000000000000000000000000000000000','98af9b5bf566562ca7535707b2744789186c7a8d5c576e4bb8ac4edc1a617199');
INSERT INTO "audit" VALUES(2,'2026-11-30T13:37:17.259424Z','crop_20261130_133717_0f8989','decided','cropped.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-30T13:37:17.236665Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"ef0a0fd4af5a4427ab404fb969b44f8d","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"cropped.png","reviewer":"somebody","session":"crop_20261130_133717_0f8989","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-30T13:37:17.236665Z","verdict":"adjusted","width":64}','98af9b5bf566562ca7535707b2744789186c7a8d5c576e4bb8ac4edc1a617199','929882f704b1f607025dfa064198cedb4219c5371047e35b6f485d3be32a5cda');
INSERT INTO "audit" VALUES(3,'2026-11-30T13:37:17.351525Z','crop_20261130_133717_0f8989','cropped','cropped.png','bfdcc85860ee435a98c942ead1eba0f9','{"box":[4,8,40,60],"decision":"ef0a0fd4af5a4427ab404fb969b44f8d","operation":{"after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"ef0a0fd4af5a4427ab404fb969b44f8d","id":"bfdcc85860ee435a98c942ead1eba0f9","kind":"crop","owner":"6b12c6f9e93f4add9ae1b2e16a86fd4e","plan":"{\"attributes\": {\"atime_ns\": 1796045836940790342, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1796045836944704909, \"uid\": 0, \"xattrs\": []}, \"box\": [4, 8, 40, 60], \"companions\": [], \"report\": {\"box_applied\": [4, 8, 40, 60], \"degraded\": null, \"dropped\": [], \"kept\": [], \"patched\": [], \"psnr\": null}}","session":"crop_20261130_133717_0f8989","source":"cropped.png","state":"planned","target":"cropped.png","undoes":null},"sha256_after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":"cropped.png","undoes":null}','929882f704b1f607025dfa064198cedb4219c5371047e35b6f485d3be32a5cda','a58e62bb79d76e6cddd7c98ffbb2808220434c6e284ed6a91755b693f237ccb9');
INSERT INTO "audit" VALUES(4,'2026-11-30T13:37:17.361517Z','crop_20261130_133717_0f8989','decided','undone.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-30T13:37:17.360675Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"ba1eb6c1df324d72a15bc1f92580571c","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"undone.png","reviewer":"somebody","session":"crop_20261130_133717_0f8989","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-30T13:37:17.360675Z","verdict":"adjusted","width":64}','a58e62bb79d76e6cddd7c98ffbb2808220434c6e284ed6a91755b693f237ccb9','a7cb9f4d36d9bae27ef906b3b7aca2ce1ace156d07a18062efe63d0f23a7f4e7');
INSERT INTO "audit" VALUES(5,'2026-11-30T13:37:17.421874Z','crop_20261130_133717_0f8989','cropped','undone.png','c22a32816623413a955cd4a31e935414','{"box":[4,8,40,60],"decision":"ba1eb6c1df324d72a15bc1f92580571c","operation":{"after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"ba1eb6c1df324d72a15bc1f92580571c","id":"c22a32816623413a955cd4a31e935414","kind":"crop","owner":"6b12c6f9e93f4add9ae1b2e16a86fd4e","plan":"{\"attributes\": {\"atime_ns\": 1796045836944704909, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1796045836945387117, \"uid\": 0, \"xattrs\": []}, \"box\": [4, 8, 40, 60], \"companions\": [], \"report\": {\"box_applied\": [4, 8, 40, 60], \"degraded\": null, \"dropped\": [], \"kept\": [], \"patched\": [], \"psnr\": null}}","session":"crop_20261130_133717_0f8989","source":"undone.png","state":"planned","target":"undone.png","undoes":null},"sha256_after":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":"undone.png","undoes":null}','a7cb9f4d36d9bae27ef906b3b7aca2ce1ace156d07a18062efe63d0f23a7f4e7','1ea4f9b8462f3169115cf581dfa77be6101560f498062c0994eaead7dac613de');
INSERT INTO "audit" VALUES(6,'2026-11-30T13:37:17.487939Z','crop_20261130_133717_0f8989','restored','undone.png','7a8f0f16b2d144928e518ccab7972b46','{"box":null,"decision":"ba1eb6c1df324d72a15bc1f92580571c","operation":{"after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","before":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","decision":"ba1eb6c1df324d72a15bc1f92580571c","id":"7a8f0f16b2d144928e518ccab7972b46","kind":"restore","owner":"6b12c6f9e93f4add9ae1b2e16a86fd4e","plan":"{\"attributes\": {\"atime_ns\": 1796045837388790321, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1796045837388790321, \"uid\": 0, \"xattrs\": []}, \"box\": null, \"companions\": [], \"report\": {\"box_applied\": null, \"degraded\": null, \"dropped\": [], \"kept\": [\"every byte\"], \"patched\": [], \"psnr\": null}}","session":"crop_20261130_133717_0f8989","source":"undone.png","state":"planned","target":"undone.png","undoes":"c22a32816623413a955cd4a31e935414"},"sha256_after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","sha256_before":"55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f","target":"undone.png","undoes":"c22a32816623413a955cd4a31e935414"}','1ea4f9b8462f3169115cf581dfa77be6101560f498062c0994eaead7dac613de','5ca7be1851a262b24317e84fdab97b79909e9317023b07f53f3ad61fd92e780c');
INSERT INTO "audit" VALUES(7,'2026-11-30T13:37:17.500424Z','crop_20261130_133717_0f8989','decided','rejected.png',NULL,'{"decided_at":"2026-11-30T13:37:17.499660Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"7ca8f1fe23e241999ed73f2ff4bb9887","iou":null,"path":"rejected.png","reviewer":"somebody","session":"crop_20261130_133717_0f8989","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-30T13:37:17.499660Z","verdict":"reject","width":64}','5ca7be1851a262b24317e84fdab97b79909e9317023b07f53f3ad61fd92e780c','0eb407ac4c50145bd5ddbdfc8ebd970afca7ed6824f00de47cdd9ebe4a97b2c7');
INSERT INTO "audit" VALUES(8,'2026-11-30T13:37:17.562445Z','crop_20261130_133717_0f8989','rejected','rejected.png','ff039f3c6afa4d1cb139beead1b1d50f','{"box":null,"decision":"7ca8f1fe23e241999ed73f2ff4bb9887","operation":{"after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","decision":"7ca8f1fe23e241999ed73f2ff4bb9887","id":"ff039f3c6afa4d1cb139beead1b1d50f","kind":"reject","owner":"6b12c6f9e93f4add9ae1b2e16a86fd4e","plan":"{\"attributes\": {\"atime_ns\": 1796045836945387117, \"gid\": 0, \"mode\": 420, \"mtime_ns\": 1796045836956790341, \"uid\": 0, \"xattrs\": []}, \"box\": null, \"companions\": [], \"report\": {\"box_applied\": null, \"degraded\": null, \"dropped\": [], \"kept\": [\"every byte\"], \"patched\": [], \"psnr\": null}}","session":"crop_20261130_133717_0f8989","source":"rejected.png","state":"planned","target":".cropkit/rejected/7ca8f1fe23e2/rejected.png","undoes":null},"sha256_after":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","sha256_before":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","target":".cropkit/rejected/7ca8f1fe23e2/rejected.png","undoes":null}','0eb407ac4c50145bd5ddbdfc8ebd970afca7ed6824f00de47cdd9ebe4a97b2c7','9406c027cec5a37512c198117a50cbe72d681825ad39fce04756c1c8c874110b');
INSERT INTO "audit" VALUES(9,'2026-11-30T13:37:17.575612Z','crop_20261130_133717_0f8989','decided','waits.png',NULL,'{"box_bottom":60,"box_left":4,"box_right":40,"box_top":8,"decided_at":"2026-11-30T13:37:17.574655Z","destination":null,"edges_within_5_percent":null,"height":96,"id":"21241f9da0d64515bbf582d10ab72869","iou":null,"normalized_bottom":0.625,"normalized_left":0.0625,"normalized_right":0.625,"normalized_top":0.08333333333333333,"path":"waits.png","reviewer":"somebody","session":"crop_20261130_133717_0f8989","sha256":"59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e","shown_at":"2026-11-30T13:37:17.574655Z","verdict":"adjusted","width":64}','9406c027cec5a37512c198117a50cbe72d681825ad39fce04756c1c8c874110b','cf971d5d2e8666d9448365a97ded498a2c0e4ef4ccdb43bf9c20d3500a1569b9');
INSERT INTO "audit" VALUES(10,'2026-11-30T13:37:17.593052Z','crop_20261130_133717_0f8989','session-ended',NULL,NULL,'{"counts":{"accepted":0,"adjusted":3,"cropped":2,"degraded":{},"failed":0,"kept_whole":0,"purged":0,"rejected":1,"restored":1,"set_aside":1,"shown":0,"skipped":0,"stale":0},"cropped":1,"how":"closed","rejected":1,"waiting":1}','cf971d5d2e8666d9448365a97ded498a2c0e4ef4ccdb43bf9c20d3500a1569b9','436fbfe9733ebf1812e1edebd97aafced5e126cb4a5c6fd8a89b9289c90c8fc4');
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
	slot VARCHAR DEFAULT '' NOT NULL, 
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
	target VARCHAR, 
	copying VARCHAR, 
	PRIMARY KEY (seq), 
	CHECK (verdict IN ('accept', 'adjusted', 'reject', 'skip')), 
	CHECK ((box_left IS NULL) = (verdict IN ('reject', 'skip'))), 
	CHECK (box_left IS NULL OR (0 <= box_left AND box_left < box_right AND box_right <= width AND 0 <= box_top AND box_top < box_bottom AND box_bottom <= height)), 
	CHECK (decided_at >= shown_at), 
	UNIQUE (id), 
	FOREIGN KEY(session) REFERENCES session (id)
);
INSERT INTO "decision" VALUES(1,'ef0a0fd4af5a4427ab404fb969b44f8d','cropped.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'','adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261130_133717_0f8989',NULL,NULL,NULL,NULL,'2026-11-30T13:37:17.236665Z','2026-11-30T13:37:17.236665Z',NULL,NULL);
INSERT INTO "decision" VALUES(2,'ba1eb6c1df324d72a15bc1f92580571c','undone.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'','adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261130_133717_0f8989',NULL,NULL,NULL,NULL,'2026-11-30T13:37:17.360675Z','2026-11-30T13:37:17.360675Z',NULL,NULL);
INSERT INTO "decision" VALUES(3,'7ca8f1fe23e241999ed73f2ff4bb9887','rejected.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'','reject',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261130_133717_0f8989',NULL,NULL,NULL,NULL,'2026-11-30T13:37:17.499660Z','2026-11-30T13:37:17.499660Z',NULL,NULL);
INSERT INTO "decision" VALUES(4,'21241f9da0d64515bbf582d10ab72869','waits.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e',64,96,'','adjusted',4,8,40,60,0.0625,8.33333333333333287074e-02,0.625,0.625,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'somebody','crop_20261130_133717_0f8989',NULL,NULL,NULL,NULL,'2026-11-30T13:37:17.574655Z','2026-11-30T13:37:17.574655Z',NULL,NULL);
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
INSERT INTO "operation" VALUES(1,'bfdcc85860ee435a98c942ead1eba0f9','crop','done','6b12c6f9e93f4add9ae1b2e16a86fd4e','crop_20261130_133717_0f8989','ef0a0fd4af5a4427ab404fb969b44f8d',NULL,NULL,'cropped.png','cropped.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','{"attributes": {"atime_ns": 1796045836940790342, "gid": 0, "mode": 420, "mtime_ns": 1796045836944704909, "uid": 0, "xattrs": []}, "box": [4, 8, 40, 60], "companions": [], "report": {"box_applied": [4, 8, 40, 60], "degraded": null, "dropped": [], "kept": [], "patched": [], "psnr": null}}','2026-11-30T13:37:17.295628Z','2026-11-30T13:37:17.350132Z',NULL,NULL);
INSERT INTO "operation" VALUES(2,'c22a32816623413a955cd4a31e935414','crop','done','6b12c6f9e93f4add9ae1b2e16a86fd4e','crop_20261130_133717_0f8989','ba1eb6c1df324d72a15bc1f92580571c',NULL,'7a8f0f16b2d144928e518ccab7972b46','undone.png','undone.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','{"attributes": {"atime_ns": 1796045836944704909, "gid": 0, "mode": 420, "mtime_ns": 1796045836945387117, "uid": 0, "xattrs": []}, "box": [4, 8, 40, 60], "companions": [], "report": {"box_applied": [4, 8, 40, 60], "degraded": null, "dropped": [], "kept": [], "patched": [], "psnr": null}}','2026-11-30T13:37:17.380301Z','2026-11-30T13:37:17.421307Z',NULL,NULL);
INSERT INTO "operation" VALUES(3,'7a8f0f16b2d144928e518ccab7972b46','restore','done','6b12c6f9e93f4add9ae1b2e16a86fd4e','crop_20261130_133717_0f8989','ba1eb6c1df324d72a15bc1f92580571c','c22a32816623413a955cd4a31e935414',NULL,'undone.png','undone.png','55383551d4a7f165dbacb64a7f3af3c5cb489bb0741759a76ec62eb22826c70f','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','{"attributes": {"atime_ns": 1796045837388790321, "gid": 0, "mode": 420, "mtime_ns": 1796045837388790321, "uid": 0, "xattrs": []}, "box": null, "companions": [], "report": {"box_applied": null, "degraded": null, "dropped": [], "kept": ["every byte"], "patched": [], "psnr": null}}','2026-11-30T13:37:17.450472Z','2026-11-30T13:37:17.486090Z',NULL,NULL);
INSERT INTO "operation" VALUES(4,'ff039f3c6afa4d1cb139beead1b1d50f','reject','done','6b12c6f9e93f4add9ae1b2e16a86fd4e','crop_20261130_133717_0f8989','7ca8f1fe23e241999ed73f2ff4bb9887',NULL,NULL,'rejected.png','.cropkit/rejected/7ca8f1fe23e2/rejected.png','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','59e73a01f2b0fbcfea8efd3c330f9fb443f664cc3ec6af073c1e1fe9c6b7978e','{"attributes": {"atime_ns": 1796045836945387117, "gid": 0, "mode": 420, "mtime_ns": 1796045836956790341, "uid": 0, "xattrs": []}, "box": null, "companions": [], "report": {"box_applied": null, "degraded": null, "dropped": [], "kept": ["every byte"], "patched": [], "psnr": null}}','2026-11-30T13:37:17.534564Z','2026-11-30T13:37:17.562057Z',NULL,NULL);
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
	slot VARCHAR DEFAULT '' NOT NULL, 
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
INSERT INTO "queue" VALUES('ef0a0fd4af5a4427ab404fb969b44f8d','cropped.png','','cropped',NULL,'bfdcc85860ee435a98c942ead1eba0f9',NULL,NULL,'2026-11-30T13:37:17.351782Z',1);
INSERT INTO "queue" VALUES('ba1eb6c1df324d72a15bc1f92580571c','undone.png','','restored',NULL,'7a8f0f16b2d144928e518ccab7972b46',NULL,NULL,'2026-11-30T13:37:17.488168Z',NULL);
INSERT INTO "queue" VALUES('7ca8f1fe23e241999ed73f2ff4bb9887','rejected.png','','rejected',NULL,'ff039f3c6afa4d1cb139beead1b1d50f',NULL,NULL,'2026-11-30T13:37:17.562692Z',1);
INSERT INTO "queue" VALUES('21241f9da0d64515bbf582d10ab72869','waits.png','','waiting',NULL,NULL,NULL,NULL,'2026-11-30T13:37:17.575133Z',1);
CREATE TABLE seal (
	number INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	mac VARCHAR NOT NULL, 
	PRIMARY KEY (number)
);
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
INSERT INTO "session" VALUES('crop_20261130_133717_0f8989','python','museum','somebody','0.1.0','2026-11-30T13:37:17.237110Z','2026-11-30T13:37:17.592222Z','closed',NULL,'{"accepted": 0, "adjusted": 3, "cropped": 2, "degraded": {}, "failed": 0, "kept_whole": 0, "purged": 0, "rejected": 1, "restored": 1, "set_aside": 1, "shown": 0, "skipped": 0, "stale": 0}');
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
CREATE INDEX operations_to_undo ON operation (seq) WHERE state = 'done' AND undone_by IS NULL AND kind IN ('copy', 'crop', 'reject');
CREATE INDEX originals_needed ON operation ("before", seq, "after", kind, state) WHERE state = 'done' AND (kind NOT IN ('copy', 'purge')) AND "before" != "after";
CREATE INDEX purges ON operation ("before", seq, kind, state) WHERE kind = 'purge';
CREATE INDEX work_of_session ON operation (session, seq) WHERE state = 'done' AND kind IN ('copy', 'crop', 'reject');
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
