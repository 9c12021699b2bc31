-- By error code over the last week (queued = it was tried again), then one by one.
-- What each code means: docs/errors.md.
select * from video_admin.failures;
select * from video_admin.failed_jobs limit 50;
