-- Depth and age of the queue, workers, and what runs; those near the end of their lease first.
select * from video_admin.queue;
select * from video_admin.workers;
select * from video_admin.leases;
