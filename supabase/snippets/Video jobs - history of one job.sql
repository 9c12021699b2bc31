-- Put the job's id in.
select at, status, stage, attempt, worker, error_code, error_message
from video_admin.history
where job_id = '00000000-0000-0000-0000-000000000000';
