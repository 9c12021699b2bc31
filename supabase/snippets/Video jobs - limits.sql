-- One row; null = no limit. docs/admin.md says what each means.
select * from video_worker.config;
-- update video_worker.config set max_running_jobs_per_user = 2;
