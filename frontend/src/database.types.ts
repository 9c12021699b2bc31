
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "video_jobs": {
                  Row: {
                    "attempt": number,"cancel_requested_at": string | null,"created_at": string,"error_code": string | null,"error_message": string | null,"eta_seconds": number | null,"finished_at": string | null,"held": boolean,"id": string,"idempotency_key": string | null,"input_path": string,"max_attempts": number,"options": NonNullable<Json>,"output_info": Json | null,"output_path": string | null,"parent_id": string | null,"place": number | null,"poster_path": string | null,"priority": number,"progress": number,"run_at": string,"segment": number | null,"stage": Database["public"]['Enums']["video_job_stage"] | null,"started_at": string | null,"status": Database["public"]['Enums']["video_job_status"],"subtitle_path": string,"traceparent": string | null,"updated_at": string,"user_id": string,"whole": boolean
                  }
                  ComputedFields: never
                  Insert: {
                    "attempt"?: number,"cancel_requested_at"?: string | null,"created_at"?: string,"error_code"?: string | null,"error_message"?: string | null,"eta_seconds"?: number | null,"finished_at"?: string | null,"held"?: boolean,"id"?: string,"idempotency_key"?: string | null,"input_path": string,"max_attempts"?: number,"options"?: NonNullable<Json>,"output_info"?: Json | null,"output_path"?: string | null,"parent_id"?: string | null,"place"?: number | null,"poster_path"?: string | null,"priority"?: number,"progress"?: number,"run_at"?: string,"segment"?: number | null,"stage"?: Database["public"]['Enums']["video_job_stage"] | null,"started_at"?: string | null,"status"?: Database["public"]['Enums']["video_job_status"],"subtitle_path": string,"traceparent"?: string | null,"updated_at"?: string,"user_id"?: string,"whole"?: boolean
                  }
                  Update: {
                    "attempt"?: number,"cancel_requested_at"?: string | null,"created_at"?: string,"error_code"?: string | null,"error_message"?: string | null,"eta_seconds"?: number | null,"finished_at"?: string | null,"held"?: boolean,"id"?: string,"idempotency_key"?: string | null,"input_path"?: string,"max_attempts"?: number,"options"?: NonNullable<Json>,"output_info"?: Json | null,"output_path"?: string | null,"parent_id"?: string | null,"place"?: number | null,"poster_path"?: string | null,"priority"?: number,"progress"?: number,"run_at"?: string,"segment"?: number | null,"stage"?: Database["public"]['Enums']["video_job_stage"] | null,"started_at"?: string | null,"status"?: Database["public"]['Enums']["video_job_status"],"subtitle_path"?: string,"traceparent"?: string | null,"updated_at"?: string,"user_id"?: string,"whole"?: boolean
                  }
                  Relationships: [
                    {
      foreignKeyName: "video_jobs_parent_id_fkey"
      columns: ["parent_id"]
isOneToOne: false
      referencedRelation: "video_jobs"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Views: {
            [_ in never]: never
          }
          Functions: {
            "cancel_video_job":
{ Args: { "job_id": string }; Returns: {
              "attempt": number,
"cancel_requested_at": string | null,
"created_at": string,
"error_code": string | null,
"error_message": string | null,
"eta_seconds": number | null,
"finished_at": string | null,
"held": boolean,
"id": string,
"idempotency_key": string | null,
"input_path": string,
"max_attempts": number,
"options": NonNullable<Json>,
"output_info": Json | null,
"output_path": string | null,
"parent_id": string | null,
"place": number | null,
"poster_path": string | null,
"priority": number,
"progress": number,
"run_at": string,
"segment": number | null,
"stage": Database["public"]['Enums']["video_job_stage"] | null,
"started_at": string | null,
"status": Database["public"]['Enums']["video_job_status"],
"subtitle_path": string,
"traceparent": string | null,
"updated_at": string,
"user_id": string,
"whole": boolean
            }
                          SetofOptions: {
        from: "*"
        to: "video_jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"retry_video_job":
{ Args: { "job_id": string }; Returns: {
              "attempt": number,
"cancel_requested_at": string | null,
"created_at": string,
"error_code": string | null,
"error_message": string | null,
"eta_seconds": number | null,
"finished_at": string | null,
"held": boolean,
"id": string,
"idempotency_key": string | null,
"input_path": string,
"max_attempts": number,
"options": NonNullable<Json>,
"output_info": Json | null,
"output_path": string | null,
"parent_id": string | null,
"place": number | null,
"poster_path": string | null,
"priority": number,
"progress": number,
"run_at": string,
"segment": number | null,
"stage": Database["public"]['Enums']["video_job_stage"] | null,
"started_at": string | null,
"status": Database["public"]['Enums']["video_job_status"],
"subtitle_path": string,
"traceparent": string | null,
"updated_at": string,
"user_id": string,
"whole": boolean
            }
                          SetofOptions: {
        from: "*"
        to: "video_jobs"
        isOneToOne: true
        isSetofReturn: false
      } },
"video_job_history":
{ Args: { "job_id": string }; Returns: {
              "at": string,"attempt": number,"error_code": string,"error_message": string,"stage": Database["public"]['Enums']["video_job_stage"],"status": Database["public"]['Enums']["video_job_status"]
            }[]
                           },
"video_jobs_ahead":
{ Args: { "job_id": string }; Returns: number
                           }
          }
          Enums: {
            "video_job_stage": "download"|"probe"|"subtitles"|"render"|"upload","video_job_status": "queued"|"processing"|"completed"|"failed"|"cancelled"
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            "video_job_stage": ["download", "probe", "subtitles", "render", "upload"],"video_job_status": ["queued", "processing", "completed", "failed", "cancelled"]
          }
        }
} as const
