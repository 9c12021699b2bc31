select * from video_admin.usage_by_user limit 50;
select * from video_admin.throughput;
select * from video_admin.stage_times;
