-- All that failed for one reason, once it is mended: put the code in.
select (video_admin.requeue(job_id)).id
from video_admin.failed_jobs
where error_code = 'disk_full';
